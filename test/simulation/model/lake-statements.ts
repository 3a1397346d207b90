import {
  at,
  by,
  dateAt,
  insertedRow,
  jsonAt,
  numberAt,
  secondsAfter,
  statement,
  textAt,
  time,
  withJson,
} from './statement.ts';
import type { Row, Transaction } from './transaction.ts';

const isTheRow =
  (values: readonly unknown[]) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && row['id'] === at(values, 2);

const isDue = (row: Row, now: Date): boolean => row['lease_until'] === null || time(row['lease_until']) < time(now);

/** Tables with chunks that wait and no load on its way. */
function isWaitingTable(tx: Transaction, table: Row): boolean {
  const isMine = (row: Row): boolean => row['tenant_id'] === table['tenant_id'] && row['table_id'] === table['id'];
  if (table['last_load_at'] !== null && time(table['last_load_at']) >= time(tx.now) - 1000) return false;
  if (tx.select('lake_chunks', (row) => isMine(row) && row['load_id'] === null).length === 0) return false;
  return tx.select('lake_loads', (row) => isMine(row) && row['state'] === 'PENDING').length === 0;
}

const placementStatements = [
  statement('findTable', ['FROM lake_tables WHERE tenant_id = $1 AND family = $2 AND log_type = $3'], (tx, values) =>
    tx.select(
      'lake_tables',
      (row) =>
        row['tenant_id'] === at(values, 1) && row['family'] === at(values, 2) && row['log_type'] === at(values, 3),
    ),
  ),
  statement('getTableById', ['FROM lake_tables WHERE tenant_id = $1 AND id = $2'], (tx, values) =>
    tx.select('lake_tables', isTheRow(values)),
  ),
  statement('insertTable', ['INSERT INTO lake_tables'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const fresh = { last_load_at: null, packing: 1, ...withJson(row, 'columns') };
    const inserted = await tx.insert('lake_tables', fresh, 'nothing', 'tenant_id,family,log_type');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('updateTable', ['UPDATE lake_tables SET columns = $3, packing = $4'], (tx, values) =>
    tx.update('lake_tables', isTheRow(values), () => ({ columns: jsonAt(values, 3), packing: numberAt(values, 4) })),
  ),
];

const chunkStatements = [
  statement('insertChunk', ['INSERT INTO lake_chunks'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const fresh = { load_id: null, created_at: tx.now, ...row };
    const inserted = await tx.insert('lake_chunks', fresh, 'nothing', 'tenant_id,batch_id,table_id');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('assignChunks', ['UPDATE lake_chunks c SET load_id = $3 FROM waiting w'], (tx, values) => {
    const isWaiting = (row: Row): boolean =>
      row['tenant_id'] === at(values, 1) && row['table_id'] === at(values, 2) && row['load_id'] === null;
    const sums = { bytes: 0, rows: 0 };
    const chosen = new Set<unknown>();
    for (const row of tx.select('lake_chunks', isWaiting).toSorted(by('created_at', 'id'))) {
      if (sums.bytes < numberAt(values, 4) && sums.rows < numberAt(values, 5)) chosen.add(row['id']);
      sums.bytes += Number(row['bytes']);
      sums.rows += Number(row['row_count']);
    }
    const isChosen = (row: Row): boolean => row['tenant_id'] === at(values, 1) && chosen.has(row['id']);
    return tx.update('lake_chunks', isChosen, () => ({ load_id: at(values, 3) }));
  }),
  statement('listChunksOfLoad', ['SELECT id, batch_id, object_key FROM lake_chunks'], (tx, values) =>
    tx
      .select('lake_chunks', (row) => row['tenant_id'] === at(values, 1) && row['load_id'] === at(values, 2))
      .toSorted(by('created_at', 'id')),
  ),
];

const loadStatements = [
  statement('lockWaitingTables', ['SELECT t.tenant_id, t.id FROM lake_tables t'], (tx, values) =>
    tx.lockRows('lake_tables', (table) => isWaitingTable(tx, table), {
      order: by('last_load_at'),
      limit: numberAt(values, 1),
      skips: true,
    }),
  ),
  statement('insertLoad', ['INSERT INTO lake_loads'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const made = { attempts: 0, lease_until: null, error: null, created_at: tx.now, loaded_at: null, ...row };
    await tx.insert('lake_loads', made);
    return [made];
  }),
  statement('sumUpLoad', ['UPDATE lake_loads SET (row_count, bytes) ='], (tx, values) => {
    const isMember = (row: Row): boolean => row['tenant_id'] === at(values, 1) && row['load_id'] === at(values, 2);
    const chunks = tx.select('lake_chunks', isMember);
    const sum = (name: string): number => chunks.reduce((total, row) => total + Number(row[name]), 0);
    return tx.update('lake_loads', isTheRow(values), () => ({ row_count: sum('row_count'), bytes: sum('bytes') }));
  }),
  statement('touchTable', ['UPDATE lake_tables SET last_load_at = now()'], (tx, values) =>
    tx.update('lake_tables', isTheRow(values), () => ({ last_load_at: tx.now })),
  ),
  statement(
    'leaseLoads',
    ['UPDATE lake_loads SET attempts = attempts + 1, lease_until = now()'],
    async (tx, values) => {
      const leased = await tx.update(
        'lake_loads',
        (row) => row['state'] === 'PENDING' && isDue(row, tx.now),
        (row) => ({ attempts: Number(row['attempts']) + 1, lease_until: secondsAfter(tx.now, numberAt(values, 2)) }),
        { order: by('created_at'), limit: numberAt(values, 1), skips: true },
      );
      return leased;
    },
  ),
  statement('finishLoad', ["UPDATE lake_loads SET state = 'LOADED'"], (tx, values) =>
    tx.update('lake_loads', isTheRow(values), () => ({
      state: 'LOADED',
      loaded_at: tx.now,
      lease_until: null,
      error: null,
    })),
  ),
  statement('postponeLoad', ['UPDATE lake_loads SET error = $3'], (tx, values) =>
    tx.update('lake_loads', isTheRow(values), (row) => ({
      error: at(values, 3),
      lease_until: secondsAfter(tx.now, Math.min(60, 2 ** Number(row['attempts']))),
    })),
  ),
];

export const lakeStatements = [...placementStatements, ...chunkStatements, ...loadStatements];

/** What is not the business of one room: notices, the leader's lock, the outbox. */
export const platformStatements = [
  statement('notify', ['SELECT pg_notify($1, $2)'], (tx, values) => {
    tx.notices.add(textAt(values, 1));
    return [];
  }),
  statement('leaderLock', ['SELECT pg_try_advisory_xact_lock($1)'], async (tx, values) => [
    { leads: await tx.lock(`advisory:${textAt(values, 1)}`, true) },
  ]),
  // Nobody pauses work for a backup here.
  statement('isWorkFree', ['SELECT pg_try_advisory_xact_lock_shared($1)'], () => [{ free: true }]),
  statement('insertOutboxJobs', ['INSERT INTO outbox_jobs'], async (tx, values) => {
    const payloads = (at(values, 3) as readonly string[]).map((text) => JSON.parse(text) as unknown);
    const made: Row[] = [];
    for (const payload of payloads) {
      const base = { tenant_id: at(values, 1), job_name: at(values, 2), created_at: tx.now };
      made.push({ ...base, id: String(tx.nextSequence()), payload });
    }
    for (const row of made) await tx.insert('outbox_jobs', row);
    return made;
  }),
  statement('takeOutboxJobs', ['SELECT id, job_name, payload FROM outbox_jobs ORDER BY id LIMIT $1'], (tx, values) =>
    tx.lockRows('outbox_jobs', () => true, {
      order: (a, b) => Number(a['id']) - Number(b['id']),
      limit: numberAt(values, 1),
      skips: true,
    }),
  ),
  statement('deleteOutboxJobs', ['DELETE FROM outbox_jobs WHERE id = ANY'], (tx, values) => {
    const ids = new Set(at(values, 1) as readonly string[]);
    return tx.delete('outbox_jobs', (row) => ids.has(String(row['id'])));
  }),
  statement('upsertSystemError', ['INSERT INTO system_errors'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    await tx.lock(`system_errors:${textAt(values, 1)}/${textAt(values, 3)}/${textAt(values, 4)}`);
    const isOpen = (old: Row): boolean =>
      ['tenant_id', 'type', 'subject_id'].every((name) => old[name] === row[name]) && old['resolved_at'] === null;
    const counted = await tx.update('system_errors', isOpen, (old) => ({
      subject_name: row['subject_name'],
      message: row['message'],
      trace_id: row['trace_id'],
      occurrences: Number(old['occurrences']) + 1,
      last_seen_at: new Date(Math.max(time(old['last_seen_at']), dateAt(values, 7).getTime())),
    }));
    if (counted.length > 0) return counted;
    const made = { occurrences: 1, resolved_at: null, ...row };
    await tx.insert('system_errors', made);
    return [made];
  }),
  statement('findSystemError', ['FROM system_errors WHERE tenant_id = $1 AND id = $2'], (tx, values) =>
    tx.select('system_errors', isTheRow(values)),
  ),
];
