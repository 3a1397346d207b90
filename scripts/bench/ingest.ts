import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { systemActor } from '#access';
import { managedSchemas } from '#ingestion';
import { createServices, openPlatform, openSandbox } from '../../src/app/parts.ts';
import { publicUrl } from '../../src/app/runtime.ts';
import { startDeployment } from '../../src/app/supervisor.ts';
import { normalizeBody } from '../../src/ingestion/normalize/normalize.ts';
import { decodeBody, defaultBodyLimits } from '../../src/ingestion/streams/body.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { cpuBetween, cpuSeconds } from './support/cpu.ts';

const run = promisify(execFile);
const here = (file: string): string => path.join(import.meta.dirname, 'support', file);
const logType = 'AWS.CloudTrail';
const always = { from: new Date('2000-01-01'), to: new Date('2100-01-01') };

type Input = { readonly folder: string; readonly rawBytes: number; readonly events: number; readonly files: number };

async function makeInput(folder: string, megabytes: number, seed: number): Promise<Input> {
  await mkdir(folder);
  const args = [here('trail-files.ts'), folder, String(megabytes), String(seed)];
  const { stdout } = await run(process.execPath, args);
  return { folder, ...(JSON.parse(stdout) as Omit<Input, 'folder'>) };
}

const rate = (bytes: number, seconds: number): number => Math.round((bytes / 1e6 / seconds) * 10) / 10;

async function measureSelf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** gzip bytes → rows ready, in this process; beside it what JSON.parse alone takes for the same bytes. */
async function benchRows(input: Input) {
  const files = (await readdir(input.folder)).toSorted();
  const schemas = [managedSchemas().get(logType)?.compiled].filter((schema) => schema !== undefined);
  const context = {
    tenantId: 'tenant',
    batchId: 'batch',
    part: 0,
    sourceId: 'source',
    sourceLabel: 'bench',
    parseTime: new Date(),
  };
  let events = 0;
  const seconds = await measureSelf(async () => {
    for (const file of files) {
      const body = await decodeBody(await readFile(path.join(input.folder, file)), undefined, defaultBodyLimits);
      const { logs } = normalizeBody(body, { type: 'Auto', options: {} }, schemas, context);
      events += logs.reduce((sum, log) => sum + log.count, 0);
    }
  });
  const baseline = await measureSelf(async () => {
    for (const file of files) JSON.parse(gunzipSync(await readFile(path.join(input.folder, file))).toString('utf8'));
  });
  const figures = {
    megabytesPerSecondPerCore: rate(input.rawBytes, seconds),
    eventsPerSecondPerCore: Math.round(events / seconds),
    cpuSeconds: seconds,
    baselineMegabytesPerSecondPerCore: rate(input.rawBytes, baseline),
    ratioToBaseline: Math.round((baseline / seconds) * 1000) / 1000,
  };
  return { figures, problems: events === input.events ? [] : [`${events} rows of ${input.events} events`] };
}

async function send(input: Input, url: string): Promise<{ readonly pid: number; readonly refusals: Promise<number> }> {
  const child = spawn(process.execPath, [here('file-sender.ts'), input.folder, url, '6'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const refusals = new Promise<number>((resolve, reject) => {
    child.once('exit', (code) =>
      code === 0
        ? resolve((JSON.parse(output) as { refusals: number }).refusals)
        : reject(new Error('The sender failed.')),
    );
  });
  return { pid: child.pid ?? 0, refusals };
}

/** gzip bytes over HTTP → rows in the lake, all processes of a deployment that does nothing else. */
async function benchLake(folder: string, warmUp: Input, input: Input, say: (line: string) => void) {
  const environment = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'error',
  };
  const deployment = await startDeployment({ environment, roles: 'all', say });
  const platform = openPlatform(deployment.runtime);
  const sandbox = await openSandbox(deployment.runtime);
  try {
    const services = createServices(platform, deployment.runtime, sandbox);
    const traceId = randomBytes(16).toString('hex');
    const tenant = await services.tenants.create({ slug: 'bench', name: 'Bench' }, traceId);
    const actor = systemActor(tenant.id, 'bench', traceId);
    const source = await services.sources.create(actor, {
      integrationLabel: 'bench',
      logTypes: [logType],
      logStreamType: 'Auto',
      authMethod: 'None',
    });
    const count = async (): Promise<number> =>
      (await platform.lake.reader.countEvents(tenant.id, always))[logType] ?? 0;
    const url = `${publicUrl(deployment.runtime)}/http/${source.id}`;
    const untilLoaded = async (events: number): Promise<number> => {
      const startedAt = performance.now();
      let loaded = await count();
      for (; loaded < events && performance.now() - startedAt < 900_000; loaded = await count()) await sleep(500);
      return loaded;
    };
    say('Warming up …');
    await (
      await send(warmUp, url)
    ).refusals;
    await untilLoaded(warmUp.events);
    say('Measuring …');
    const startedAt = performance.now();
    const before = cpuSeconds();
    const sender = await send(input, url);
    const refusals = await sender.refusals;
    const sentSeconds = (performance.now() - startedAt) / 1000;
    const loaded = (await untilLoaded(warmUp.events + input.events)) - warmUp.events;
    const seconds = (performance.now() - startedAt) / 1000;
    const { total, byProcess } = cpuBetween(before, cpuSeconds([sender.pid]));
    const figures = {
      megabytesPerSecondPerCore: rate(input.rawBytes, total),
      eventsPerSecondPerCore: Math.round(loaded / total),
      cpuSecondsByProcess: byProcess,
      wallSeconds: Math.round(seconds * 10) / 10,
      sentSeconds: Math.round(sentSeconds * 10) / 10,
      refusals,
    };
    return { figures, problems: loaded === input.events ? [] : [`${loaded} rows of ${input.events} in the lake`] };
  } finally {
    await sandbox.pool.close();
    await platform.close();
    await deployment.stop();
  }
}

export const benchmark: Benchmark = {
  summary: 'Real CloudTrail, ids, addresses and times made new: gzip bytes to rows ready, and to rows in the lake.',
  options: {
    megabytes: { type: 'string', default: '800' },
    'warm-up-megabytes': { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
  async run({ options, say }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'margay-bench-'));
    await chmod(folder, 0o755);
    try {
      say('Making the input …');
      const seed = wholeOption(options, 'seed');
      const input = await makeInput(path.join(folder, 'input'), wholeOption(options, 'megabytes'), seed);
      const few = await makeInput(path.join(folder, 'warm-up'), wholeOption(options, 'warm-up-megabytes'), seed + 1);
      say(`${input.events} events, ${rate(input.rawBytes, 1)} MB.`);
      const rows = await benchRows(input);
      const lake = await benchLake(folder, few, input, say);
      const { rawBytes, events } = input;
      return {
        figures: { events, rawBytes, rowsReady: rows.figures, rowsInLake: lake.figures },
        problems: [...rows.problems, ...lake.problems],
      };
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
