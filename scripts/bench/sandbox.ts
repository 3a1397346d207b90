import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildBundle, createSandboxPool, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { chooseWalls, privateMemoryOf, processorTimeOf, type Walls } from '#platform/walls';
import { createProcessSource } from '../../src/detections/sandbox/process-source.ts';
import type { SandboxContent } from '../../src/detections/sandbox/sandbox-contract.ts';
import { type SandboxImage, SandboxProcess } from '../../src/detections/sandbox/sandbox-process.ts';
import { type Benchmark, percentile, wholeOption } from './support/benchmark.ts';

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);
const noBytes = Buffer.alloc(0);
const patient = { timeoutMs: 120_000 };

/** The starter content, its rules repeated under other names until there are so many. */
async function contentOf(rules: number): Promise<SandboxContent> {
  const { items } = await loadContentDirectory(path.resolve('content'));
  const starter = sandboxContent(evaluationContent(items));
  const repeated = Array.from({ length: rules }, (_, index) => {
    const rule = starter.rules[index % starter.rules.length];
    return rule === undefined ? [] : [{ ...rule, id: `${rule.id}.${index}` }];
  });
  return { ...starter, revision: `bench-${rules}`, rules: repeated.flat() };
}

/** Proportional share of what a process and all below it hold. */
async function shareOf(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  let total = Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ')) if (child !== '') total += await shareOf(Number(child));
  return total;
}

type Sample = { wallMs: number; fromSpareMs: number; cpuMs: number; privateMiB: number; shareMiB: number };

function summary(samples: readonly Sample[]) {
  const of = (pick: (sample: Sample) => number): number | null => {
    const median = percentile(samples.map(pick), 0.5);
    return median === null ? null : Math.round(median);
  };
  return {
    wallMs: of((sample) => sample.wallMs),
    fromWaitingProcessMs: of((sample) => sample.fromSpareMs),
    cpuMs: of((sample) => sample.cpuMs),
    privateMiB: of((sample) => sample.privateMiB),
    proportionalMiB: of((sample) => sample.shareMiB),
  };
}

async function measure(process: SandboxProcess, startedAt: number, readyAt: number): Promise<Sample> {
  const now = performance.now();
  const pid = process.pid ?? 0;
  return {
    wallMs: now - startedAt,
    fromSpareMs: now - readyAt,
    cpuMs: processorTimeOf(pid) ?? 0,
    privateMiB: mebibytes((await privateMemoryOf(pid)) ?? 0),
    shareMiB: mebibytes(await shareOf(pid)),
  };
}

type Surroundings = { readonly walls: Walls; readonly bundle: string };

const poolMiB = 512;
const idleMs = 1000;

/** So many tenants with an event each, one after the other, in a pool that has room for a few; then nobody asks for them. */
async function visitTenants({ walls, bundle }: Surroundings, content: SandboxContent, tenants: number) {
  const pool = createSandboxPool({ walls, bundle, memoryBytesMax: poolMiB * 1024 * 1024, idleMs });
  const logType = content.rules[0]?.logTypes[0] ?? '';
  const took: number[] = [];
  const peak = { processes: 0, memoryMiB: 0 };
  try {
    for (let tenant = 0; tenant < tenants; tenant++) {
      const startedAt = performance.now();
      await pool.evaluate({ tenantId: `tenant-${tenant}`, content, logType, records: Buffer.from('{"a":1}\n') });
      took.push(performance.now() - startedAt);
      const { processes, memoryBytes } = pool.status();
      peak.processes = Math.max(peak.processes, processes);
      peak.memoryMiB = Math.max(peak.memoryMiB, mebibytes(memoryBytes));
    }
    const { startsCold, startsGeneric, evictions } = pool.status();
    const deadline = performance.now() + 60_000;
    while (pool.status().processes > 0 && performance.now() < deadline) await sleep(100);
    const { processes, memoryBytes, spare } = pool.status();
    return {
      tenants,
      poolMiB,
      peak,
      startsCold,
      startsGeneric,
      evictions,
      firstEventMs: { p50: percentile(took, 0.5), p95: percentile(took, 0.95) },
      whenAllAreIdle: { processes, memoryBytes, spare },
    };
  } finally {
    await pool.close();
  }
}

export const benchmark: Benchmark = {
  summary: 'How long an interpreter takes to start behind the walls, and what it holds; what many idle tenants cost.',
  options: {
    rules: { type: 'string', default: '200' },
    repeats: { type: 'string', default: '5' },
    tenants: { type: 'string', default: '20' },
  },
  async run({ options, say }) {
    const content = await contentOf(wholeOption(options, 'rules'));
    const source = Buffer.from(
      JSON.stringify({ globals: content.globals, dataModels: content.dataModels, rules: content.rules }),
    );
    const folder = await mkdtemp(path.join(tmpdir(), 'margay-bench-'));
    // The sandbox runs as another user when this is root.
    await chmod(folder, 0o755);
    try {
      const bundle = await buildBundle(path.join(folder, 'bundle'));
      const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
      const maker = createProcessSource(walls, bundle);
      const first = await maker.take();
      await first.request({ kind: 'load', skip: [] }, source, patient);
      const snapshot = await first.snapshot();
      first.kill();
      maker.close();
      const start = async (image: SandboxImage, isLoaded: boolean): Promise<Sample> => {
        const startedAt = performance.now();
        const sandbox = new SandboxProcess(walls, bundle);
        try {
          await sandbox.ready;
          const readyAt = performance.now();
          await sandbox.start(image);
          if (isLoaded) await sandbox.request({ kind: 'ping' }, noBytes, patient);
          else await sandbox.request({ kind: 'load', skip: [] }, source, patient);
          return await measure(sandbox, startedAt, readyAt);
        } finally {
          sandbox.kill();
          await sandbox.exited;
        }
      };
      const samples = { cold: [] as Sample[], generic: [] as Sample[], tenantSnapshot: [] as Sample[] };
      for (let repeat = 0; repeat < wholeOption(options, 'repeats'); repeat++) {
        samples.cold.push(await start({ kind: 'cold' }, false));
        samples.generic.push(await start({ kind: 'generic' }, false));
        samples.tenantSnapshot.push(await start({ kind: 'snapshot', bytes: snapshot }, true));
        say(`round ${repeat + 1}`);
      }
      const pool = await visitTenants({ walls, bundle }, content, wholeOption(options, 'tenants'));
      const figures = {
        walls: walls.report.kind,
        seccomp: walls.report.hasSeccomp,
        rules: content.rules.length,
        snapshotMiB: mebibytes(snapshot.length),
        startToLoaded: {
          cold: summary(samples.cold),
          generic: summary(samples.generic),
          tenantSnapshot: summary(samples.tenantSnapshot),
        },
        pool,
      };
      const { processes } = pool.whenAllAreIdle;
      return { figures, problems: processes === 0 ? [] : [`${processes} processes are left of idle tenants`] };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
