import { RowsRefused } from '#platform/lake-client';
import type { Database, TenantTx, Tx } from '#platform/postgres';
import type { Interception } from './model/database.ts';
import { plain } from './model/statement.ts';
import { type Row, Transaction } from './model/transaction.ts';
import type { Given } from './processes.ts';
import type { Mutation, World } from './world.ts';

type Call = Parameters<Interception>[1];
type Replacement = (call: Call, proceed: () => Promise<readonly Row[]>, world: World) => Promise<readonly Row[]>;

/** Stands in for single statements, by their name in the model. */
const replacing =
  (replacements: Readonly<Record<string, Replacement>>): NonNullable<Mutation['intercept']> =>
  (world) =>
  (statement, call, proceed) =>
    replacements[statement.name]?.(call, proceed, world) ?? proceed();

/** Runs the statement in a transaction of its own that is committed at once. */
const atOnce: (name: string) => NonNullable<Mutation['intercept']> =
  (name) => (world) => async (statement, call, proceed) => {
    if (statement.name !== name) return proceed();
    const { tx, values, sql } = call;
    const own = new Transaction({ tables: world.tables, tenantId: tx.tenantId, now: tx.now, resume: (wake) => wake() });
    const rows = await statement.run(own, values, sql);
    own.commit();
    return rows;
  };

/** Leaves statements out of their transaction and runs them after its commit; they answer as if one row was changed. */
const afterwards =
  (beginning: string) =>
  (given: Given): Given => {
    const { database } = given;
    const withTenant: Database['withTenant'] = async (tenantId, work) => {
      const later: ((tx: Tx) => Promise<unknown>)[] = [];
      const result = await database.withTenant(tenantId, (tx) => {
        const put = (sql: string, values: readonly unknown[] | undefined): boolean => {
          if (!plain(sql).startsWith(beginning)) return false;
          later.push((own) => own.execute(sql, values));
          return true;
        };
        const changed: Tx = {
          query: async (sql, values) => (put(sql, values) ? [] : tx.query(sql, values)),
          execute: async (sql, values) => (put(sql, values) ? 1 : tx.execute(sql, values)),
          db: undefined as never,
        };
        return work(Object.defineProperty(changed, 'tenantId', { value: tenantId }) as TenantTx);
      });
      for (const run of later) await database.withTenant(tenantId, run);
      return result;
    };
    return { ...given, database: { ...database, withTenant } };
  };

const objects = (
  change: (objects: Given['objects'], world: World) => Partial<Given['objects']>,
): NonNullable<Mutation['given']> => {
  return (given, world) => ({ ...given, objects: { ...given.objects, ...change(given.objects, world) } });
};
const lakeInsert = (
  change: (insert: Given['lakeClient']['insert'], world: World) => Given['lakeClient']['insert'],
): NonNullable<Mutation['given']> => {
  return (given, world) => ({
    ...given,
    lakeClient: { ...given.lakeClient, insert: change(given.lakeClient.insert, world) },
  });
};

const storeMutations: readonly Mutation[] = [
  {
    name: 'a load has another token at each attempt',
    given: lakeInsert((insert, world) => (table, rows, token) => insert(table, rows, `${token}-${world.uuid()}`)),
  },
  {
    name: 'loads of a table share a token',
    given: lakeInsert((insert) => (table, rows) => insert(table, rows, table)),
  },
  {
    name: 'a load is marked before its rows are written',
    given: lakeInsert((insert) => async (table, rows, token) => void insert(table, rows, token).catch(() => undefined)),
  },
  {
    name: 'rows that the lake refuses are dropped',
    given: lakeInsert((insert) => async (table, rows, token) => {
      await insert(table, rows, token).catch((error: unknown) => {
        if (!(error instanceof RowsRefused)) throw error;
      });
    }),
  },
  {
    name: 'rows of a shared table carry the tenant of another',
    given: lakeInsert((insert, world) => (table, rows, token) => {
      const [first, second] = world.tenants;
      return insert(table, Buffer.from(rows.toString().replaceAll(first?.id ?? '', second?.id ?? '')), token);
    }),
  },
  {
    name: 'a body is acknowledged before it is synced',
    given: objects(({ put }, { disk, kernel, nature }) => ({
      async put(key, bytes) {
        if (!key.includes('/raw/')) return put(key, bytes);
        disk.unsynced.set(key, Buffer.from(bytes));
        kernel.after(8000, nature, () => disk.sync(key));
      },
    })),
  },
  {
    name: 'an error while storing a body is swallowed',
    given: objects(({ put }) => ({ put: (key, bytes) => put(key, bytes).catch(() => undefined) })),
  },
  {
    name: 'results are overwritten by a later worker',
    given: objects(({ put }) => ({ putNew: (key, bytes) => put(key, bytes).then(() => true) })),
  },
  {
    name: 'results are taken as durable when they are seen',
    given: objects(({ putNew }, { disk }) => ({
      putNew: async (key, bytes) => (disk.read(key) === undefined ? putNew(key, bytes) : false),
    })),
  },
  {
    name: 'results are stored without what their rules will remember',
    given: objects(({ putNew }) => ({
      putNew(key, bytes) {
        const { logs } = JSON.parse(Buffer.from(bytes).toString()) as { readonly logs: unknown };
        return putNew(key, Buffer.from(JSON.stringify({ logs, cache: [] })));
      },
    })),
  },
  {
    name: 'rows are deleted as soon as they are read',
    given: objects((store) => ({
      async get(key) {
        const bytes = await store.get(key);
        if (key.includes('/rows/')) await store.delete(key);
        return bytes;
      },
    })),
  },
  {
    name: 'each attempt at a delivery has a key of its own',
    given: (given, world) => ({
      ...given,
      http: {
        send: (request) => {
          const key = `${request.headers?.['Idempotency-Key']}-${world.received.length}`;
          return given.http.send({ ...request, headers: { ...request.headers, 'Idempotency-Key': key } });
        },
      },
    }),
  },
];

const transactionMutations: readonly Mutation[] = [
  { name: 'the row of the evaluation is committed before its effects', intercept: atOnce('insertEvaluation') },
  {
    name: 'the row of the evaluation is committed after its effects',
    given: afterwards('INSERT INTO batch_evaluations'),
  },
  {
    name: 'deliveries are written after the transaction of their alert',
    given: afterwards('INSERT INTO alert_deliveries'),
  },
  { name: 'alerts are written before the transaction of their batch', intercept: atOnce('insertAlerts') },
  { name: 'what rules remember is kept before the transaction of their batch', intercept: atOnce('saveCache') },
  {
    name: 'what rules remember is kept after the transaction of their batch',
    given: afterwards('INSERT INTO detection_cache'),
  },
  { name: 'what rules remember is changed without a lock', intercept: replacing({ lockCache: async () => [] }) },
  {
    name: 'windows are read without a lock',
    intercept: replacing({
      lockWindows: async ({ tx, values }) => {
        const ids = new Set(values[1] as readonly string[]);
        return tx.select('alert_windows', (row) => ids.has(String(row['id'])));
      },
    }),
  },
  {
    name: 'counts of alerts are written instead of added',
    intercept: replacing({
      growAlerts: async ({ tx, values }) => {
        const counts = new Map(
          (JSON.parse(String(values[1])) as { id: string; event_count: number }[]).map((row) => [
            row.id,
            row.event_count,
          ]),
        );
        return tx.update(
          'alerts',
          (row) => counts.has(String(row['id'])),
          (row) => ({ event_count: counts.get(String(row['id'])) }),
        );
      },
    }),
  },
  {
    name: 'the plan is made anew at each attempt',
    intercept: replacing({
      findBatch: async (_call, proceed) => (await proceed()).map((row) => ({ ...row, manifest: null })),
      saveManifest: async ({ tx, values }) =>
        tx.update(
          'batches',
          (row) => row['id'] === values[1],
          () => ({ manifest: JSON.parse(String(values[2])) }),
        ),
    }),
  },
  {
    name: 'rules are deleted while a batch needs them',
    intercept: replacing({
      deleteUnusedRevisions: ({ tx }) =>
        tx.delete('detection_revisions', (row) => (row['used_at'] as Date).getTime() < tx.now.getTime() - 5000),
    }),
  },
  {
    name: 'a load takes in what came since its first attempt',
    intercept: replacing({
      listChunksOfLoad: async ({ tx, values: [tenantId, loadId] }, proceed) => {
        const load = tx.select('lake_loads', (row) => row['id'] === loadId)[0];
        await tx.update(
          'lake_chunks',
          (row) => row['tenant_id'] === tenantId && row['table_id'] === load?.['table_id'] && row['load_id'] === null,
          () => ({ load_id: loadId }),
        );
        return proceed();
      },
    }),
  },
];

const guardMutations: readonly Mutation[] = [
  {
    name: 'idempotency keys are forgotten',
    intercept: replacing({ claimKey: async () => [{}] }),
  },
  {
    name: 'idempotency keys of tenants and sources are one',
    intercept: replacing({
      claimKey: async ({ values }, proceed, { tables }) =>
        tables.list('batch_idempotency_keys').some((row) => row['key'] === values[2]) ? [] : proceed(),
      findKey: async ({ values }, _proceed, { tables }) =>
        tables.list('batch_idempotency_keys').filter((row) => row['key'] === values[2]),
    }),
  },
  {
    name: 'a replay reads what an earlier one has read',
    intercept: replacing({ listReplays: async () => [] }),
  },
  {
    name: 'destinations of other tenants are taken too',
    intercept: replacing({ listDestinations: async (_call, _proceed, { tables }) => tables.list('destinations') }),
  },
  {
    name: 'a delivery is claimed without a lease',
    intercept: replacing({
      claimDelivery: async ({ tx }, proceed) => {
        const ids = new Set((await proceed()).map((row) => row['id']));
        return tx.update(
          'alert_deliveries',
          (row) => ids.has(row['id']),
          () => ({ lease_until: null }),
        );
      },
    }),
  },
  {
    name: 'a batch whose worker died is never begun again',
    intercept: replacing({ releaseExpired: async () => [] }),
  },
  {
    name: 'a load whose worker died is never tried again',
    intercept: replacing({
      leaseLoads: async ({ tx }) =>
        tx.update(
          'lake_loads',
          (row) => row['state'] === 'PENDING' && row['lease_until'] === null,
          (row) => ({ attempts: Number(row['attempts']) + 1, lease_until: tx.now }),
          { skips: true },
        ),
    }),
  },
  {
    name: 'windows are counted on the clock of the worker',
    seams: {
      alerts: (alerts, { clock }) => ({
        applyMatches: (tx, batch) => alerts.applyMatches(tx, { ...batch, evaluatedAt: clock.now() }),
      }),
    },
  },
  {
    name: 'rows have random ids',
    seams: {
      lake: (lake) => ({
        ...lake,
        stage: (tenantId, batchId, rows) => {
          const anew = (bytes: Buffer): Buffer =>
            Buffer.from(bytes.toString().replaceAll(/"p_row_id":"[^"]*"/g, () => `"p_row_id":"${Math.random()}"`));
          return lake.stage(
            tenantId,
            batchId,
            rows.map((item) => ({ ...item, rows: anew(item.rows) })),
          );
        },
      }),
    },
  },
  {
    name: 'a batch is done before its rules have run',
    seams: {
      batches: (batches) => ({
        ...batches,
        async prepare(...call) {
          const prepared = await batches.prepare(...call);
          if (prepared !== undefined) await batches.finish(prepared, { matches: 0, ruleErrors: 0 });
          return prepared;
        },
      }),
    },
  },
  {
    name: 'a batch is done before its rows are on their way',
    seams: {
      batches: (batches) => ({
        ...batches,
        store: async (prepared) => void batches.store(prepared).catch(() => undefined),
      }),
    },
  },
];

/** Bugs that such a product could have. Each replaces a part that the product is handed; the product does not know. */
export const mutations: readonly Mutation[] = [...storeMutations, ...transactionMutations, ...guardMutations];
