import type { TenantTx } from '#platform/postgres';
import type { CacheChange } from '../../../src/detections/cache/cache-item.ts';
import { applyCacheChanges, readCache } from '../../../src/detections/cache/cache-store.ts';
import * as detections from '../../../src/detections/detection-store.ts';
import { addStatistics, listStatistics } from '../../../src/detections/statistics-store.ts';
import * as batches from '../../../src/ingestion/batches/batch-store.ts';
import { countPlaces, forgetWorker, seeWorker } from '../../../src/ingestion/dispatch/worker-places-store.ts';
import * as schemas from '../../../src/ingestion/schemas/schema-store.ts';
import * as sources from '../../../src/ingestion/sources/source-store.ts';
import * as placement from '../../../src/lake/placement-store.ts';
import * as loads from '../../../src/lake/loads/load-store.ts';
import { alertCalls, deliveryCalls } from './contract-alert-calls.ts';
import { type Call, type Choice, minutes, pick, seconds, sorted, whole } from './contract-choice.ts';

const manifest = (choice: Choice) => ({
  evaluatedAt: minutes(whole(choice, 4, 50)).toISOString(),
  contentRevision: `r${whole(choice, 5, 3)}`,
  schemas: [{ name: 'A', revision: 1 }],
});
const counters = { events: 1, eventsByLogType: { A: 1 }, classificationFailures: 0, matches: 0, ruleErrors: 0 };

const batchCalls: readonly Call[] = [
  {
    name: 'insertBatch',
    run: (tx, choice) =>
      batches.insertBatch(tx, {
        id: pick(choice, 'batch', 6),
        sourceId: pick(choice, 'source', 2, 1),
        lane: whole(choice, 2, 4) === 0 ? 'replay' : 'live',
        receivedAt: minutes(whole(choice, 3, 1_000_000)),
        objectKey: 'tenants/x/raw/y',
        parts: [{ offset: 0, length: 5, receivedAt: minutes(0).toISOString(), traceId: 't' }],
        bytes: whole(choice, 4, 1000),
        traceId: 't',
        replayOf: null,
      }),
  },
  {
    name: 'claimKey',
    run: async (tx, choice) => {
      const claim = (batchPlace: number) =>
        batches.claimKey(
          tx,
          pick(choice, 'source', 2, 1),
          `k${whole(choice, 2, 3)}`,
          pick(choice, 'batch', 6, batchPlace),
        );
      return [await claim(0), await claim(3)];
    },
  },
  { name: 'findBatch', run: (tx, choice) => batches.findBatch(tx, pick(choice, 'batch', 6)) },
  { name: 'findForeignBatch', run: (tx, choice) => batches.findBatch(tx, choice.tenants[0] ?? '') },
  { name: 'listReplays', run: (tx, choice) => batches.listReplays(tx, pick(choice, 'batch', 6)) },
  {
    name: 'saveManifest',
    run: (tx, choice) => batches.saveManifest(tx, pick(choice, 'batch', 6), manifest(choice)),
  },
  { name: 'finishBatch', run: (tx, choice) => batches.finishBatch(tx, pick(choice, 'batch', 6), counters) },
  { name: 'failBatch', run: (tx, choice) => batches.failBatch(tx, pick(choice, 'batch', 6), 'why', 2) },
  {
    name: 'postponeBatch',
    run: (tx, choice) => batches.postponeBatch(tx, pick(choice, 'batch', 6), 'why', seconds(choice, 1)),
  },
  {
    name: 'extendLease',
    run: (tx, choice) => batches.extendLease(tx, pick(choice, 'batch', 6), seconds(choice, 1)),
  },
  {
    name: 'listWaiting',
    isForAll: true,
    run: (tx, choice) => sorted(batches.listWaiting(tx, 1 + whole(choice, 0, 3))),
  },
  { name: 'countRunning', isForAll: true, run: (tx) => sorted(batches.countRunning(tx)) },
  {
    name: 'workerPlaces',
    isForAll: true,
    run: async (tx, choice) => {
      await seeWorker(tx, pick(choice, 'worker', 3), 1 + whole(choice, 1, 3));
      if (whole(choice, 2, 3) === 0) await forgetWorker(tx, pick(choice, 'worker', 3, 3));
      return countPlaces(tx);
    },
  },
  { name: 'releaseExpired', isForAll: true, run: (tx) => batches.releaseExpired(tx) },
  { name: 'backlogByTenant', isForAll: true, run: (tx) => batches.backlogByTenant(tx) },
  {
    name: 'admit',
    isForAll: true,
    run: async (tx, choice) => {
      const waiting = await batches.listWaiting(tx, 2);
      const wanted = waiting.toSorted((a, b) => (a.batchId < b.batchId ? -1 : 1)).slice(0, 2);
      return sorted(batches.admit(tx, wanted, seconds(choice, 1)));
    },
  },
];

const source = (choice: Choice) => ({
  label: `label ${whole(choice, 1, 1000)}`,
  logTypes: ['A'],
  streamType: 'Lines' as const,
  streamOptions: {},
  auth: { method: 'None' as const },
  secret: whole(choice, 2, 2) === 0 ? null : Buffer.from('secret'),
});
const rule = (choice: Choice) => ({
  id: `rule ${whole(choice, 0, 3)}`,
  kind: 'RULE' as const,
  isEnabled: whole(choice, 1, 2) === 0,
  body: `body ${whole(choice, 2, 10)}`,
  spec: {
    AnalysisType: 'rule' as const,
    RuleID: 'x',
    Enabled: true,
    Filename: 'x.py',
    LogTypes: ['A'],
    Severity: 'LOW' as const,
    Threshold: 1,
    DedupPeriodMinutes: 60,
    CreateAlert: true,
  },
});

/** Counts up, empties, or adds texts that expire, some of them at once. */
function cacheChange(choice: Choice, key: string): CacheChange {
  const expires = minutes(whole(choice, 2, 2) * 100).getTime() / 1000;
  if (whole(choice, 1, 3) === 0)
    return { key, count: { reset: true, add: 0 }, strings: { replace: true, add: [], remove: [] } };
  if (whole(choice, 1, 3) === 1)
    return { key, strings: { replace: false, add: [`s${whole(choice, 3, 9)}`], remove: [] }, expires };
  return { key, count: { reset: false, add: 1 + whole(choice, 4, 5) }, dictionary: '{"a":1}' };
}

const contentCalls: readonly Call[] = [
  {
    name: 'insertSource',
    run: (tx, choice) =>
      sources.insertSource(tx, pick(choice, 'source', 2), source(choice), { kind: 'system', id: 'x', name: 'x' }),
  },
  { name: 'updateSource', run: (tx, choice) => sources.updateSource(tx, pick(choice, 'source', 2), source(choice)) },
  { name: 'findSource', run: (tx, choice) => sources.findSource(tx, pick(choice, 'source', 2)) },
  {
    name: 'touchSource',
    run: (tx, choice) =>
      tx.execute('UPDATE log_sources SET last_received_at = $3 WHERE tenant_id = $1 AND id = $2', [
        tx.tenantId,
        pick(choice, 'source', 2),
        minutes(whole(choice, 1, 60)),
      ]),
  },
  {
    name: 'findSourceAnywhere',
    isForAll: true,
    run: (tx, choice) => sources.findSourceAnywhere(tx, pick(choice, 'source', 2)),
  },
  {
    name: 'saveSchema',
    run: (tx, choice) => {
      const write = { name: 'A', spec: `spec ${whole(choice, 0, 99)}`, description: 'd', referenceUrl: '' };
      return schemas.saveSchema(tx, { ...write, isFieldDiscoveryEnabled: false }, whole(choice, 1, 3));
    },
  },
  { name: 'findSchema', run: (tx) => schemas.findSchema(tx, 'A') },
  { name: 'findSchemaRevision', run: (tx, choice) => schemas.findRevision(tx, 'A', whole(choice, 0, 4)) },
  { name: 'listDetections', run: (tx) => detections.listDetections(tx) },
  {
    name: 'saveDetections',
    run: async (tx, choice) => {
      const saved = await detections.saveDetections({ tx, changedBy: { kind: 'system', id: 'x', name: 'x' } }, [
        rule(choice),
      ]);
      return [saved, await detections.readContentHead(tx)];
    },
  },
  {
    name: 'keepRevision',
    run: (tx, choice) => detections.keepRevision(tx, { revision: `r${whole(choice, 5, 3)}`, items: [rule(choice)] }),
  },
  { name: 'readContentHead', run: (tx) => detections.readContentHead(tx) },
  { name: 'touchRevision', run: (tx, choice) => detections.touchRevision(tx, `r${whole(choice, 0, 3)}`) },
  { name: 'findContentRevision', run: (tx, choice) => detections.findRevision(tx, `r${whole(choice, 0, 3)}`) },
  { name: 'deleteUnusedRevisions', isForAll: true, run: (tx) => detections.deleteUnusedRevisions(tx) },
  {
    name: 'addStatistics',
    run: async (tx, choice) => {
      const counts = { runs: 3, sampledMicroseconds: whole(choice, 3, 99), matches: whole(choice, 2, 3), errors: 1 };
      const rules = ['b', 'a', 'b'].map((ruleId) => ({ ruleId, ...counts }));
      await addStatistics(tx, minutes(whole(choice, 1, 200)), rules);
      return listStatistics(tx, minutes(0), whole(choice, 4, 2) === 0 ? 'a' : undefined);
    },
  },
  {
    name: 'detectionCache',
    run: async (tx, choice) => {
      const key = `k${whole(choice, 0, 3)}`;
      await applyCacheChanges(
        tx,
        [cacheChange(choice, key), { key: 'other', count: { reset: false, add: 1 } }],
        minutes(5),
      );
      return readCache(tx, ['k0', 'k1', 'k2', 'other']);
    },
  },
  {
    name: 'insertEvaluation',
    run: (tx, choice) => detections.insertEvaluation(tx, pick(choice, 'batch', 3), minutes(1)),
  },
  {
    name: 'saveAlertIds',
    run: (tx, choice) => detections.saveAlertIds(tx, pick(choice, 'batch', 3), [null, `${whole(choice, 1, 99)}`]),
  },
  { name: 'findAlertIds', run: (tx, choice) => detections.findAlertIds(tx, pick(choice, 'batch', 3)) },
];

const families = ['logs', 'signals'] as const;
const table = (tx: TenantTx, choice: Choice) => ({
  id: pick(choice, 'table', 2),
  tenantId: tx.tenantId,
  family: families[whole(choice, 0, 2)] ?? 'logs',
  logType: '',
  layout: 'pooled' as const,
  database: 'pool',
  table: 'x',
  columns: [{ name: 'a', type: 'string' as const }],
  packing: 1 + whole(choice, 1, 2),
});

const lakeCalls: readonly Call[] = [
  { name: 'insertTable', run: (tx, choice) => placement.insertTable(tx, table(tx, choice)) },
  { name: 'findTable', run: (tx, choice) => placement.findTable(tx, families[whole(choice, 0, 2)] ?? 'logs', '') },
  { name: 'getTableById', run: (tx, choice) => placement.getTableById(tx, tx.tenantId, pick(choice, 'table', 2)) },
  {
    name: 'updateTable',
    run: (tx, choice) =>
      placement.updateTable(tx, { id: pick(choice, 'table', 2), columns: [{ name: 'b', type: 'int' }], packing: 2 }),
  },
  {
    name: 'insertChunks',
    run: async (tx, choice) => {
      const found = await placement.findTable(tx, families[whole(choice, 0, 2)] ?? 'logs', '');
      if (found === undefined) return undefined;
      const sizes = { rows: 1 + whole(choice, 2, 100), bytes: 1 + whole(choice, 3, 1000) };
      const id = pick(choice, 'chunk', 40, 4);
      const batchId = pick(choice, 'batch', 12, 1);
      return loads.insertChunks(tx, [{ id, tableId: found.id, batchId, objectKey: `tenants/x/${batchId}`, ...sizes }]);
    },
  },
  {
    name: 'plan',
    isForAll: true,
    run: async (tx, choice) => {
      const waiting = await loads.lockWaitingTables(tx, 5);
      for (const [index, one] of waiting.toSorted((a, b) => (a.tableId < b.tableId ? -1 : 1)).entries())
        await loads.insertLoad(tx, choice.idOf('load', 100)(whole(choice, 1, 50) + 50 * index), one, {
          bytes: 900,
          rows: 100,
        });
      return sorted(Promise.resolve(waiting));
    },
  },
  {
    name: 'leaseLoads',
    isForAll: true,
    run: (tx, choice) => sorted(loads.leaseLoads(tx, 100, seconds(choice, 0))),
  },
  { name: 'finishLoad', run: (tx, choice) => loads.finishLoad(tx, pick(choice, 'load', 100)) },
  { name: 'postponeLoad', run: (tx, choice) => loads.postponeLoad(tx, pick(choice, 'load', 100), 'why') },
];

/** Calls that meet in the same tables. Each run of the contract stays with one group, to get deep into its states. */
export const callGroups: readonly (readonly Call[])[] = [
  batchCalls,
  contentCalls,
  lakeCalls,
  alertCalls,
  [...deliveryCalls, ...deliveryCalls, ...alertCalls.filter(({ name }) => /Alert/.test(name))],
];
