import { at, by, insertedRow, jsonAt, listAt, numberAt, secondsAfter, statement, time, withJson } from './statement.ts';
import type { Row, Transaction } from './transaction.ts';

const newBatch: Row = {
  admissions: 0,
  failures: 0,
  lease_until: null,
  retry_at: null,
  manifest: null,
  counters: null,
  error: null,
  finished_at: null,
};

const isTheBatch =
  (values: readonly unknown[], state?: string) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) &&
    row['id'] === at(values, 2) &&
    (state === undefined || row['state'] === state);

const isOpen = (row: Row): boolean => row['state'] === 'PENDING' || row['state'] === 'ADMITTED';

export const batchStatements = [
  statement('insertBatch', ['INSERT INTO batches '], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const inserted = await tx.insert('batches', withJson({ ...newBatch, stored_at: tx.now, ...row }, 'parts'));
    return inserted === undefined ? [] : [inserted];
  }),
  statement('claimKey', ['INSERT INTO batch_idempotency_keys'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const inserted = await tx.insert('batch_idempotency_keys', { created_at: tx.now, ...row }, 'nothing');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('findKey', ['SELECT batch_id FROM batch_idempotency_keys'], (tx, values) =>
    tx.select(
      'batch_idempotency_keys',
      (row) => row['tenant_id'] === at(values, 1) && row['source_id'] === at(values, 2) && row['key'] === at(values, 3),
    ),
  ),
  statement('findBatch', ['FROM batches WHERE tenant_id = $1 AND id = $2'], (tx, values) =>
    tx.select('batches', isTheBatch(values)),
  ),
  statement('listReplays', ['FROM batches WHERE tenant_id = $1 AND replay_of = $2'], (tx, values) =>
    tx
      .select('batches', (row) => row['tenant_id'] === at(values, 1) && row['replay_of'] === at(values, 2))
      .toSorted(by('received_at', 'id')),
  ),
  statement('saveManifest', ['UPDATE batches SET manifest = coalesce(manifest, $3)'], (tx, values) =>
    tx.update('batches', isTheBatch(values), (row) => ({ manifest: row['manifest'] ?? jsonAt(values, 3) })),
  ),
  statement('finishBatch', ["UPDATE batches SET state = 'DONE'"], (tx, values) =>
    tx.update('batches', isTheBatch(values), () => ({
      state: 'DONE',
      counters: jsonAt(values, 3),
      error: null,
      lease_until: null,
      finished_at: tx.now,
    })),
  ),
  statement('failBatch', ['UPDATE batches SET failures = failures + 1'], (tx, values) =>
    tx.update('batches', isTheBatch(values, 'ADMITTED'), (row) => {
      const failures = Number(row['failures']);
      return {
        failures: failures + 1,
        error: at(values, 3),
        lease_until: null,
        retry_at: secondsAfter(tx.now, Math.min(60, 2 ** failures)),
        state: failures + 1 >= numberAt(values, 4) ? 'FAILED' : 'PENDING',
      };
    }),
  ),
  statement('postponeBatch', ['UPDATE batches SET error = $3, lease_until = NULL, retry_at = now()'], (tx, values) =>
    tx.update('batches', isTheBatch(values, 'ADMITTED'), () => ({
      error: at(values, 3),
      lease_until: null,
      retry_at: secondsAfter(tx.now, numberAt(values, 4)),
      state: 'PENDING',
    })),
  ),
  statement('extendLease', ['UPDATE batches SET lease_until = now()'], (tx, values) =>
    tx.update('batches', isTheBatch(values, 'ADMITTED'), () => ({
      lease_until: secondsAfter(tx.now, numberAt(values, 3)),
    })),
  ),
  statement('releaseExpired', ["UPDATE batches SET state = 'PENDING', lease_until = NULL WHERE state"], (tx) =>
    tx.update(
      'batches',
      (row) => row['state'] === 'ADMITTED' && row['lease_until'] !== null && time(row['lease_until']) < time(tx.now),
      () => ({ state: 'PENDING', lease_until: null }),
    ),
  ),
  statement('listWaiting', ['SELECT DISTINCT tenant_id, source_id, lane FROM batches'], (tx, values) => {
    const waiting = tx.select(
      'batches',
      (row) => row['state'] === 'PENDING' && (row['retry_at'] === null || time(row['retry_at']) <= time(tx.now)),
    );
    const groups = Map.groupBy(
      waiting,
      (row) => `${String(row['tenant_id'])}/${String(row['source_id'])}/${String(row['lane'])}`,
    );
    return [...groups.values()].flatMap((rows) => rows.toSorted(by('received_at')).slice(0, numberAt(values, 1)));
  }),
  statement('countRunning', ["FROM batches WHERE state = 'ADMITTED' GROUP BY"], (tx) => {
    const running = tx.select('batches', (row) => row['state'] === 'ADMITTED');
    const groups = Map.groupBy(running, (row) => `${String(row['tenant_id'])}/${String(row['source_id'])}`);
    return [...groups.values()].map((rows) => ({ ...rows[0], count: rows.length }));
  }),
  statement('admit', ["UPDATE batches b SET state = 'ADMITTED'"], (tx, values) => {
    const tenants = listAt(values, 1);
    const chosen = new Set(listAt(values, 2).map((id, index) => `${tenants[index]}/${id}`));
    return tx.update(
      'batches',
      (row) => row['state'] === 'PENDING' && chosen.has(`${String(row['tenant_id'])}/${String(row['id'])}`),
      (row) => ({
        state: 'ADMITTED',
        admissions: Number(row['admissions']) + 1,
        lease_until: secondsAfter(tx.now, numberAt(values, 3)),
      }),
    );
  }),
  statement('backlogByTenant', ['sum(bytes) AS bytes, extract(epoch FROM now() - min(stored_at))'], (tx) => {
    const groups = Map.groupBy(tx.select('batches', isOpen), (row) => row['tenant_id']);
    return [...groups].map(([tenantId, rows]) => ({
      tenant_id: tenantId,
      bytes: rows.reduce((sum, row) => sum + Number(row['bytes']), 0),
      age_seconds: (time(tx.now) - Math.min(...rows.map((row) => time(row['stored_at'])))) / 1000,
    }));
  }),
];

export const workerStatements = [
  statement('seeWorker', ['INSERT INTO worker_places'], async (tx, values, sql) => {
    const row = { ...insertedRow(sql, values, tx.now).row, seen_at: tx.now };
    await tx.insert('worker_places', row, () => row);
    return [row];
  }),
  statement('deleteOldWorkers', ['DELETE FROM worker_places WHERE seen_at'], (tx) =>
    tx.delete('worker_places', (row) => time(row['seen_at']) < time(tx.now) - 3_600_000),
  ),
  statement('forgetWorker', ['DELETE FROM worker_places WHERE worker_id'], (tx, values) =>
    tx.delete('worker_places', (row) => row['worker_id'] === at(values, 1)),
  ),
  statement('countPlaces', ['FROM worker_places WHERE seen_at > now()'], (tx, values) => {
    const since = secondsAfter(tx.now, -numberAt(values, 1));
    const seen = tx.select('worker_places', (row) => time(row['seen_at']) > time(since));
    return [{ workers: seen.length, places: seen.reduce((sum, row) => sum + Number(row['places']), 0) }];
  }),
];

const isTheSource =
  (values: readonly unknown[]) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && row['id'] === at(values, 2);

/** A source is healthy while no system error about it is open. */
const withHealth = (tx: Transaction, rows: readonly Row[]): readonly Row[] =>
  rows.map((row) => {
    const isOfIt = (error: Row): boolean =>
      error['tenant_id'] === row['tenant_id'] && error['subject_id'] === row['id'] && error['resolved_at'] === null;
    return { ...row, is_healthy: tx.select('system_errors', isOfIt).length === 0 };
  });

export const sourceStatements = [
  statement('touchSource', ['UPDATE log_sources SET last_received_at'], (tx, values) =>
    tx.update('log_sources', isTheSource(values), () => ({ last_received_at: at(values, 3) })),
  ),
  statement('findSource', ['FROM log_sources WHERE tenant_id = $1 AND id = $2'], (tx, values) =>
    withHealth(tx, tx.select('log_sources', isTheSource(values))),
  ),
  statement('findSourceAnywhere', ['FROM log_sources WHERE id = $1'], (tx, values) =>
    withHealth(
      tx,
      tx.select('log_sources', (row) => row['id'] === at(values, 1)),
    ),
  ),
  statement('insertSource', ['INSERT INTO log_sources'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const made = { created_at: tx.now, updated_at: tx.now, last_received_at: null, ...row };
    await tx.insert('log_sources', withJson(made, 'auth', 'stream_options', 'created_by'));
    return [made];
  }),
  statement('updateSource', ['UPDATE log_sources SET label = $3'], (tx, values) =>
    tx.update('log_sources', isTheSource(values), () => ({
      label: at(values, 3),
      log_types: at(values, 4),
      stream_type: at(values, 5),
      stream_options: jsonAt(values, 6),
      auth: jsonAt(values, 7),
      secret: at(values, 8),
      updated_at: tx.now,
    })),
  ),
];

const isNamed =
  (values: readonly unknown[], place: number) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && row['name'] === at(values, place);

export const schemaStatements = [
  statement('findSchema', ['SELECT * FROM log_schemas WHERE tenant_id = $1 AND name = $2'], (tx, values) =>
    tx.select('log_schemas', isNamed(values, 2)),
  ),
  statement('insertSchema', ['INSERT INTO log_schemas'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const made = { is_archived: false, created_at: tx.now, updated_at: tx.now, ...row };
    const inserted = await tx.insert('log_schemas', made, 'nothing');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('updateSchema', ['UPDATE log_schemas SET revision = $3'], (tx, values) => {
    const isBefore = (row: Row) => isNamed(values, 2)(row) && Number(row['revision']) === numberAt(values, 3) - 1;
    return tx.update('log_schemas', isBefore, (row) => ({
      revision: numberAt(values, 3),
      version: Number(row['version']) + 1,
      spec: at(values, 4),
      description: at(values, 5),
      reference_url: at(values, 6),
      is_field_discovery_enabled: at(values, 7),
      updated_at: tx.now,
    }));
  }),
  statement('insertSchemaRevision', ['INSERT INTO log_schema_revisions'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    await tx.insert('log_schema_revisions', row);
    return [row];
  }),
  statement('findSchemaRevision', ['SELECT spec FROM log_schema_revisions'], (tx, values) =>
    tx.select('log_schema_revisions', (row) => isNamed(values, 2)(row) && row['revision'] === numberAt(values, 3)),
  ),
];
