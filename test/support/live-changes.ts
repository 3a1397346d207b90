import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createSandboxPool, createUploadService, writeZip } from '#detections';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import type { Database } from '#platform/postgres';
import { createContentRevisions } from '../../src/detections/content-revisions.ts';
import { runRules } from '../../src/detections/run-rules.ts';
import { createTenant } from './postgres.ts';
import { openWalls } from './sandboxes.ts';

/** One version of a tenant's content: its number is in a global, in two rules in Python and in one without. */
function archiveOf(version: number): string {
  const rule = (id: string) =>
    `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [Live]\nSeverity: Low\nDedupPeriodMinutes: 60\n`;
  const python = (own: number) =>
    `from live_version import VERSION\ndef rule(event):\n    return True\ndef title(event):\n    return f"{VERSION}/${own}"\n`;
  const files = {
    'global.yml': 'AnalysisType: global\nGlobalID: live_version\nFilename: global.py\n',
    'global.py': `VERSION = ${version}\n`,
    'one.yml': `${rule('Live.One')}Filename: one.py\n`,
    'one.py': python(version),
    'two.yml': `${rule('Live.Two')}Filename: two.py\n`,
    'two.py': python(version),
    'simple.yml': `${rule('Live.Simple')}Detection: [{Condition: AlwaysTrue}]\nAlertTitle: ${version}/${version}\n`,
  };
  return writeZip(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))).toString('base64');
}

/** Events of a batch: several chunks, so that one could end with another version than it began with. */
const eventsPerBatch = 1500;
const rows = Buffer.from('{"a":1}\n'.repeat(eventsPerBatch));
const matchesPerBatch = 3 * eventsPerBatch;

type Batch = { readonly startedAt: number; readonly versions: ReadonlySet<string>; readonly matches: number };

export type LiveFigures = {
  flips: number;
  batches: number;
  /** Batches in which two versions showed, or with a match too many or too few. */
  mixed: number;
  /** Batches begun after a change was answered that still ran what was before it. */
  stale: number;
  /** From the answer to the change until the begin of each worker's first batch with it. */
  slowestActivationMs: number;
};

/** A worker as far as evaluation goes: what it knows of the content and its interpreters are its own. */
async function openWorker(database: Database, tenantId: string) {
  const pool = createSandboxPool({ ...(await openWalls()), drainMs: 1000 });
  const revisions = createContentRevisions({ database });
  const batches: Batch[] = [];
  const work = async (): Promise<void> => {
    const startedAt = performance.now();
    const content = await revisions.content(tenantId, await revisions.current(tenantId));
    const logs = [{ logType: 'Live', rows }];
    const [result] = await runRules(pool, { tenantId, content, logs, report: () => Promise.resolve() });
    const matches = result?.matches ?? [];
    batches.push({
      startedAt,
      versions: new Set(matches.flatMap(({ title }) => title.split('/'))),
      matches: matches.length,
    });
  };
  return { batches, work, close: () => pool.close() };
}

function openUploads(database: Database) {
  const audit = createAuditRecorder({ database, clock: systemClock });
  // What Python loads is not in question here; the archives need no interpreter of their own.
  const sandbox = { check: () => Promise.resolve([]) };
  const objects = { put: () => Promise.reject(new Error('not used')), delete: () => Promise.resolve() };
  return createUploadService({ database, audit, sandbox, objects, ids: systemIds });
}

/** Changes all content of a new tenant again and again while workers evaluate batches, for so long; prints the figures. */
export async function flipUnderTraffic(
  database: Database,
  { workers: count, seconds }: { readonly workers: number; readonly seconds: number },
): Promise<LiveFigures> {
  const actor = systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
  const uploads = openUploads(database);
  const changedAt = new Map<number, number>();
  const change = async (version: number): Promise<void> => {
    await uploads.upload(actor, { data: archiveOf(version) });
    changedAt.set(version, performance.now());
  };
  await change(1);
  const workers = await Promise.all(Array.from({ length: count }, () => openWorker(database, actor.tenantId)));
  const until = performance.now() + seconds * 1000;
  let isOver = false;
  const traffic = workers.map(async ({ work }) => {
    while (!isOver) await work();
  });
  const hasShown = (version: number) =>
    workers.every(({ batches }) => batches.some(({ versions }) => versions.has(String(version))));
  try {
    for (let version = 1; performance.now() < until;) {
      await Promise.race([sleep(10), ...traffic]);
      if (hasShown(version)) await change(++version);
    }
  } finally {
    isOver = true;
    await Promise.allSettled(traffic);
    await Promise.all(workers.map(({ close }) => close()));
  }
  const figures = figuresOf(
    workers.map(({ batches }) => batches),
    changedAt,
  );
  process.stdout.write(`live changes: ${JSON.stringify(figures)}\n`);
  return figures;
}

function figuresOf(workers: readonly (readonly Batch[])[], changedAt: ReadonlyMap<number, number>): LiveFigures {
  const all = workers.flat();
  const isMixed = ({ versions, matches }: Batch) => versions.size !== 1 || matches !== matchesPerBatch;
  const versionOf = ({ versions }: Batch): number => Number([...versions][0]);
  const expectedAt = (at: number): number =>
    Math.max(...[...changedAt].filter(([, changed]) => changed <= at).map(([version]) => version));
  const activations = workers.flatMap((batches) =>
    [...changedAt].flatMap(([version, changed]) => {
      const first = batches.find((batch) => versionOf(batch) >= version && batch.startedAt >= changed);
      return version === 1 || first === undefined ? [] : [first.startedAt - changed];
    }),
  );
  return {
    flips: changedAt.size - 1,
    batches: all.length,
    mixed: all.filter(isMixed).length,
    stale: all.filter((batch) => versionOf(batch) < expectedAt(batch.startedAt)).length,
    slowestActivationMs: Math.round(Math.max(0, ...activations)),
  };
}
