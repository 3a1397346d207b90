import type { BatchManifest } from '#ingestion';
import { hashId } from '#platform/ids';
import { normalizeBody } from '../../src/ingestion/normalize/normalize.ts';
import { type CompiledSchema, compileSchema } from '../../src/ingestion/schemas/compiled-schema.ts';
import { time } from './model/statement.ts';
import type { Row } from './model/transaction.ts';
import type { SimRule } from './scenario.ts';
import type { World } from './world.ts';

/** A rule's answer about an event of a batch, as it counts. */
export type Hit = {
  readonly tenantId: string;
  readonly ruleId: string;
  readonly type: 'RULE' | 'RULE_ERROR';
  readonly rowId: string;
  readonly title: string;
  readonly dedup: string;
  readonly severity: string;
  readonly threshold: number;
  readonly periodMs: number;
  readonly createsAlert: boolean;
  /** Its rule counted it in what it remembers. */
  readonly remembers: boolean;
};

/** What a batch must have led to, worked out from its first plan, its bytes, and the results that were stored first. */
export type Expectation = {
  readonly tenantId: string;
  readonly batchId: string;
  readonly evaluatedAtMs: number;
  /** By log type: lines of the lake. */
  readonly logs: ReadonlyMap<string, readonly string[]>;
  readonly failures: readonly string[];
  readonly hits: readonly Hit[];
  readonly problems: readonly string[];
};

type Spec = {
  readonly LogTypes: readonly string[];
  readonly Severity: string;
  readonly Threshold: number;
  readonly DedupPeriodMinutes: number;
  readonly CreateAlert: boolean;
};
type Item = { readonly id: string; readonly body: string; readonly spec: Spec };
type Results = readonly {
  readonly logType: string;
  readonly matches: readonly { recordIndex: number; ruleId: string; title: string; dedup: string; severity: string }[];
  readonly errors: readonly { recordIndex: number; ruleId: string; message: string }[];
}[];

const compiled = new Map<string, CompiledSchema>();

function schemaOf(world: World, tenantId: unknown, name: string, revision: number): CompiledSchema {
  const row = world.tables
    .list('log_schema_revisions')
    .find((other) => other['tenant_id'] === tenantId && other['name'] === name && other['revision'] === revision);
  const spec = String(row?.['spec']);
  let schema = compiled.get(spec);
  if (schema === undefined) {
    const result = compileSchema(spec);
    if ('problems' in result) throw new Error(`A schema of the simulation cannot be read: ${spec}`);
    compiled.set(spec, (schema = result.schema));
  }
  return schema;
}

type Part = { readonly offset: number; readonly length: number };

/** Plans of the batch that is replayed and of its replays before this one; none when they found no event at all. */
function earlierPlans(world: World, batch: Row): readonly BatchManifest[] {
  if (batch['replay_of'] === null) return [];
  const mine = world.tables.list('batches').filter((row) => row['tenant_id'] === batch['tenant_id']);
  // The original comes first, whatever the clock of who took it in said.
  const before = [
    ...mine.filter((row) => row['id'] === batch['replay_of']),
    ...mine.filter(
      (row) => row['replay_of'] === batch['replay_of'] && time(row['received_at']) < time(batch['received_at']),
    ),
  ];
  const found = before.map((row) => row['counters'] as { readonly events: number } | null);
  if (found.every((counters) => counters?.events === 0)) return [];
  return before.map((row) => row['manifest'] as BatchManifest);
}

/** The rows that the bytes of a batch become under its plan; those of a replay are what no earlier plan could read. */
function rowsOf(world: World, batch: Row, manifest: BatchManifest) {
  const schemasOf = (plan: BatchManifest) =>
    plan.schemas.map(({ name, revision }) => schemaOf(world, batch['tenant_id'], name, revision));
  const isReplay = batch['replay_of'] !== null;
  const bytes = world.disk.read(String(batch['object_key']));
  const logs = new Map<string, string[]>();
  const failures: string[] = [];
  for (const [part, { offset, length }] of (batch['parts'] as readonly Part[]).entries()) {
    const stream = { type: manifest.source?.streamType ?? 'Auto', options: manifest.source?.streamOptions ?? {} };
    const context = {
      tenantId: String(batch['tenant_id']),
      batchId: String(isReplay ? batch['replay_of'] : batch['id']),
      part,
      sourceId: String(batch['source_id']),
      sourceLabel: manifest.source?.label ?? '',
      parseTime: new Date(manifest.evaluatedAt),
      ...(manifest.rowIds === undefined ? {} : { rowIds: manifest.rowIds }),
    };
    const body = bytes?.subarray(offset, offset + length) ?? Buffer.alloc(0);
    const unread = earlierPlans(world, batch).map(
      (plan) =>
        new Set(normalizeBody(body, stream, schemasOf(plan), context).failures.map((failure) => failure.offset)),
    );
    const only = unread.length === 0 ? {} : { onlyOffsets: unread.reduce((a, b) => a.intersection(b)) };
    const found = normalizeBody(body, stream, schemasOf(manifest), { ...context, ...only });
    for (const { logType, rows } of found.logs)
      logs.set(logType, [...(logs.get(logType) ?? []), ...rows.toString('utf8').split('\n').slice(0, -1)]);
    if (!isReplay) failures.push(...found.failures.map(({ rowId }) => rowId));
  }
  return { logs, failures, isMissing: bytes === undefined };
}

/** Rules that are not flaky must have found exactly what they look for; flaky ones found or failed. */
function doubts(results: Results, items: readonly Item[], logs: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  for (const [logType, lines] of logs) {
    const result = results.find((other) => other.logType === logType);
    for (const { id, body, spec } of items) {
      if (!spec.LogTypes.includes(logType)) continue;
      const { hit, isFlaky } = JSON.parse(body) as SimRule;
      const wanted = lines.flatMap((line, index) => ((JSON.parse(line) as { hit: string }).hit === hit ? [index] : []));
      const placesOf = (answers: readonly { recordIndex: number; ruleId: string }[] | undefined): readonly number[] =>
        (answers ?? []).filter(({ ruleId }) => ruleId === id).map(({ recordIndex }) => recordIndex);
      const matched = placesOf(result?.matches);
      const failed = placesOf(result?.errors);
      const isRight = isFlaky
        ? wanted.every((index) => matched.includes(index) !== failed.includes(index))
        : String(matched) === String(wanted) && failed.length === 0;
      if (!isRight) found.push(`${id} over ${logType} found ${String(matched)} instead of ${String(wanted)}`);
    }
  }
  return found;
}

function hitsOf(tenantId: string, results: Results, items: readonly Item[], logs: Expectation['logs']): Hit[] {
  const itemOf = new Map(items.map((item) => [item.id, item]));
  return results.flatMap(({ logType, matches, errors }) => {
    const rowIdOf = (index: number): string => {
      const line = logs.get(logType)?.[index];
      return line === undefined ? '' : (JSON.parse(line) as { p_row_id: string }).p_row_id;
    };
    const base = (ruleId: string, index: number) => {
      const spec = itemOf.get(ruleId)?.spec;
      return {
        tenantId,
        ruleId,
        rowId: rowIdOf(index),
        severity: spec?.Severity ?? '',
        periodMs: (spec?.DedupPeriodMinutes ?? 0) * 60_000,
      };
    };
    const thresholdOf = (ruleId: string): number => itemOf.get(ruleId)?.spec.Threshold ?? 1;
    const createsAlert = (ruleId: string): boolean => itemOf.get(ruleId)?.spec.CreateAlert ?? true;
    const remembers = (ruleId: string): boolean =>
      (JSON.parse(itemOf.get(ruleId)?.body ?? '{}') as Partial<SimRule>).remembers === true;
    return [
      ...matches.map(({ ruleId, recordIndex, title, dedup }): Hit => ({
        ...base(ruleId, recordIndex),
        type: 'RULE',
        title,
        dedup,
        threshold: thresholdOf(ruleId),
        createsAlert: createsAlert(ruleId),
        remembers: remembers(ruleId),
      })),
      ...errors.map(({ ruleId, recordIndex, message }): Hit => ({
        ...base(ruleId, recordIndex),
        type: 'RULE_ERROR',
        title: `Rule error: ${ruleId}: Timeout: ${message}`,
        dedup: 'Timeout',
        threshold: 1,
        createsAlert: true,
        remembers: false,
      })),
    ];
  });
}

/** `first` holds the plan that each batch had first: a later one must not exist. */
export function expectationOf(world: World, batch: Row, first: BatchManifest | undefined): Expectation {
  const tenantId = String(batch['tenant_id']);
  const batchId = String(batch['id']);
  const problems: string[] = [];
  const empty = { tenantId, batchId, logs: new Map(), failures: [], hits: [], evaluatedAtMs: 0 };
  const manifest = first ?? (batch['manifest'] as BatchManifest | null);
  if (manifest === null) return { ...empty, problems: [`batch ${batchId} has no plan`] };
  if (JSON.stringify(batch['manifest']) !== JSON.stringify(manifest)) problems.push(`the plan of ${batchId} changed`);
  const { logs, failures, isMissing } = rowsOf(world, batch, manifest);
  if (isMissing) problems.push(`the bytes of ${batchId} are gone`);
  const revision = world.tables
    .list('detection_revisions')
    .find((row) => row['tenant_id'] === tenantId && row['revision'] === manifest.contentRevision);
  if (revision === undefined) problems.push(`the rules of ${batchId} are gone`);
  const items = (revision?.['content'] ?? []) as readonly Item[];
  const stored = world.disk.read(`tenants/${tenantId}/results/${batchId}.json`);
  if (stored === undefined) problems.push(`the results of ${batchId} are gone`);
  const results = (JSON.parse(stored?.toString('utf8') ?? '{"logs":[]}') as { readonly logs: Results }).logs;
  problems.push(...doubts(results, items, logs).map((text) => `batch ${batchId}: ${text}`));
  const hits = hitsOf(tenantId, results, items, logs);
  const evaluatedAtMs = Date.parse(manifest.evaluatedAt);
  return { tenantId, batchId, evaluatedAtMs, logs, failures, hits, problems };
}

/** The id of a row that tells of a hit. */
export const hitRowId = ({ rowId, ruleId, type }: Hit): string => hashId(rowId, ruleId, type);
