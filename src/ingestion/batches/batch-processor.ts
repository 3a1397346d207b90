import type { Lake, RowsForLake } from '#lake';
import type { Clock } from '#platform/clock';
import { errorText, isTransient } from '#platform/errors';
import type { ObjectStore } from '#platform/objects';
import type { Database, TenantTx } from '#platform/postgres';
import type { ClassificationFailure, Normalized } from '../normalize/normalize.ts';
import { managedSchemas } from '../schemas/managed-schemas.ts';
import { findSchema } from '../schemas/schema-store.ts';
import { findSource, type StoredSource } from '../sources/source-store.ts';
import type { BodyLimits } from '../streams/body.ts';
import type { Batch, BatchCounters, BatchManifest, SourcePlan } from './batch.ts';
import {
  extendLease,
  failBatch,
  findBatch,
  finishBatch,
  listReplays,
  postponeBatch,
  saveManifest,
} from './batch-store.ts';
import { inPlace, type Normalizer } from './bulk-thread.ts';
import { compiledOf, createPlanSchemas, type SchemaText } from './plan-schemas.ts';

/** A batch whose plan is fixed and whose records are rows. */
export type PreparedBatch = {
  readonly batch: Batch;
  readonly manifest: BatchManifest;
  /** Of the plan, for the tables of the rows. */
  readonly schemas: readonly SchemaText[];
  readonly normalized: Normalized;
};

export type BatchProcessor = {
  /** Fixes the plan at the first attempt and parses. Undefined when there is nothing to do. */
  prepare(
    tenantId: string,
    batchId: string,
    contentRevision: () => Promise<string>,
  ): Promise<PreparedBatch | undefined>;
  /** Puts the rows on their way to the lake. */
  store(prepared: PreparedBatch): Promise<void>;
  /** For a batch whose rows are stored and whose rules have had their effects. */
  finish(prepared: PreparedBatch, results: Pick<BatchCounters, 'matches' | 'ruleErrors'>): Promise<void>;
  /**
   * Counts a failed attempt, unless it was for a store that is away. True when the batch is given up; it is kept and can
   * be tried again by hand.
   */
  fail(tenantId: string, batchId: string, error: unknown): Promise<boolean>;
  extendLease(tenantId: string, batchId: string): Promise<void>;
};

type Deps = {
  readonly database: Database;
  readonly objects: Pick<ObjectStore, 'get'>;
  readonly lake: Pick<Lake, 'stage'>;
  readonly clock: Clock;
  readonly limits: BodyLimits;
  /** Where raw bytes become rows; in place when absent. */
  readonly normalizer?: Pick<Normalizer, 'normalize'>;
};

const failuresMax = 5;
/** Longer than a few renewals by the worker, and short enough that a killed worker is hardly noticed. */
const leaseSeconds = 30;
const transientPauseSeconds = 3;

const withRowIds = ({ rowIds }: BatchManifest): Pick<BatchManifest, 'rowIds'> =>
  rowIds === undefined ? {} : { rowIds };

const sourcePlan = (source: StoredSource | undefined): SourcePlan => ({
  label: source?.label ?? '',
  streamType: source?.streamType ?? 'Auto',
  streamOptions: source?.streamOptions ?? {},
});

/**
 * A replay after which earlier batches found events keeps their framing, because it takes up single records of it.
 * When none was found, today's framing reads everything anew.
 */
async function planOf(
  tx: TenantTx,
  source: StoredSource | undefined,
  earlier: readonly BatchManifest[],
  now: Date,
  contentRevision: string,
): Promise<BatchManifest> {
  const schemas: { name: string; revision: number }[] = [];
  for (const name of source?.logTypes ?? []) {
    const isManaged = managedSchemas().has(name);
    const own = isManaged ? undefined : await findSchema(tx, name);
    if (isManaged || own) schemas.push({ name, revision: own?.revision ?? 1 });
  }
  return {
    evaluatedAt: now.toISOString(),
    contentRevision,
    source: earlier[0]?.source ?? sourcePlan(source),
    schemas,
    // The rows of a replay are numbered as those of the batch beside which they will lie.
    ...(earlier[0] === undefined ? { rowIds: 'numbered' } : withRowIds(earlier[0])),
  };
}

/** Plans of the batch that a replay replays and of the replays before it, in order; none when they found no event. */
async function earlierPlans(tx: TenantTx, batch: Batch): Promise<readonly BatchManifest[]> {
  if (batch.replayOf === null) return [];
  const original = await findBatch(tx, batch.replayOf);
  const before = (await listReplays(tx, batch.replayOf)).filter(
    (other) => other.state === 'DONE' && other.id !== batch.id,
  );
  const done = [original, ...before];
  if (done.every((other) => other?.counters?.events === 0)) return [];
  return done.flatMap((other) => other?.manifest ?? []);
}

function failureRows(
  batch: Batch,
  { evaluatedAt, source }: BatchManifest,
  failures: readonly ClassificationFailure[],
): RowsForLake {
  const lines = failures.map((failure) =>
    JSON.stringify({
      p_event_time: evaluatedAt,
      p_parse_time: evaluatedAt,
      p_log_type: '',
      p_row_id: failure.rowId,
      p_source_id: batch.sourceId,
      p_source_label: source?.label ?? '',
      p_batch_id: batch.id,
      p_part: failure.part,
      p_offset: failure.offset,
      p_reason: failure.reason,
      p_payload: failure.payload,
    }),
  );
  return {
    family: 'classification_failures',
    logType: '',
    rows: Buffer.from(lines.map((line) => `${line}\n`).join('')),
    count: failures.length,
  };
}

const rawOf = ({ tenantId, sourceId, id, replayOf, parts }: Batch) => ({
  tenantId,
  sourceId,
  recordsOf: replayOf ?? id,
  isReplay: replayOf !== null,
  parts,
});

const columnsOf = (schemas: readonly SchemaText[], logType: string) =>
  schemas.map(compiledOf).find((schema) => schema.name === logType)?.columns ?? [];

export function createBatchProcessor(deps: Deps): BatchProcessor {
  const { database, objects, limits, normalizer = inPlace } = deps;
  const schemasOf = createPlanSchemas();
  return {
    async prepare(tenantId, batchId, contentRevision) {
      const revision = await contentRevision();
      const opened = await database.withTenant(tenantId, async (tx) => {
        const batch = await findBatch(tx, batchId);
        if (batch === undefined || batch.state === 'DONE') return undefined;
        const stored = await findSource(tx, batch.sourceId);
        const earlier = await earlierPlans(tx, batch);
        const manifest =
          batch.manifest ??
          (await saveManifest(tx, batchId, await planOf(tx, stored, earlier, deps.clock.now(), revision)));
        const triedSchemas: (readonly SchemaText[])[] = [];
        for (const plan of earlier) triedSchemas.push(await schemasOf(tx, plan));
        const source = manifest.source ?? sourcePlan(stored);
        return { batch, source, manifest, schemas: await schemasOf(tx, manifest), triedSchemas };
      });
      if (opened === undefined) return undefined;
      const { batch, source, manifest, schemas, triedSchemas } = opened;
      const { evaluatedAt } = manifest;
      const bytes = await objects.get(batch.objectKey);
      const normalized = await normalizer.normalize(
        { ...rawOf(batch), ...withRowIds(manifest), bytes, evaluatedAt, source, schemas, triedSchemas },
        limits,
      );
      // A plan of an earlier version may lack its source; what it was read with goes along.
      return { batch, manifest: { ...manifest, source }, schemas, normalized };
    },
    async store({ batch, manifest, schemas, normalized }) {
      const logs = normalized.logs.map(
        (log) => ({ family: 'logs', ...log, columns: columnsOf(schemas, log.logType) }) as const,
      );
      const failures = failureRows(batch, manifest, normalized.failures);
      const staged = await deps.lake.stage(batch.tenantId, batch.id, [...logs, failures]);
      await database.withTenant(batch.tenantId, (tx) => staged.register(tx));
    },
    async finish({ batch, normalized }, results) {
      const eventsByLogType = Object.fromEntries(normalized.logs.map((log) => [log.logType, log.count]));
      const events = normalized.logs.reduce((sum, log) => sum + log.count, 0);
      const counters = { events, eventsByLogType, classificationFailures: normalized.failures.length, ...results };
      await database.withTenant(batch.tenantId, (tx) => finishBatch(tx, batch.id, counters));
    },
    fail: (tenantId, batchId, error) =>
      database.withTenant(tenantId, async (tx) => {
        if (!isTransient(error)) return failBatch(tx, batchId, errorText(error), failuresMax);
        await postponeBatch(tx, batchId, errorText(error), transientPauseSeconds);
        return false;
      }),
    extendLease: (tenantId, batchId) => database.withTenant(tenantId, (tx) => extendLease(tx, batchId, leaseSeconds)),
  };
}
