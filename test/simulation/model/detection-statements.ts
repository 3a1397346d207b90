import { at, by, insertedRow, jsonAt, listAt, statement, textAt, time, withJson } from './statement.ts';
import type { Row, Transaction } from './transaction.ts';

/** The same whatever the order of the names in JSON values. */
const comparable = (value: unknown): string =>
  JSON.stringify(value, (_name, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted())
      : item,
  );

const contentColumns = ['kind', 'is_enabled', 'body', 'specification'] as const;
const isSameContent = (a: Row, b: Row): boolean =>
  contentColumns.every((name) => comparable(a[name]) === comparable(b[name]));

/** Saves an item unless it is as it was; the history refuses a second change that began from the same version. */
async function saveDetection(tx: Transaction, item: Row, by: unknown, author: unknown): Promise<Row | undefined> {
  const isIt = (row: Row, name: string): boolean => row['tenant_id'] === item['tenant_id'] && row[name] === item['id'];
  const [saved] = tx.select('detections', (row) => isIt(row, 'id'));
  if (saved !== undefined && isSameContent(saved, item)) return undefined;
  const versions = tx
    .select('detection_versions', (row) => isIt(row, 'detection_id'))
    .map((row) => Number(row['version']));
  const version = 1 + (saved === undefined ? Math.max(0, ...versions) : Number(saved['version']));
  const { id, ...rest } = item;
  await tx.insert('detection_versions', { ...rest, detection_id: id, version, change: 'SAVED', changed_by: by });
  const written = { ...item, version, updated_by: by, last_modified_by: author, updated_at: tx.now };
  await tx.insert('detections', { created_at: tx.now, created_by: author, ...written }, (old) => ({
    ...old,
    ...written,
  }));
  return { id, is_new: saved === undefined };
}

/** Content of tenants and its changes. */
const contentStatements = [
  statement(
    'saveDetections',
    ['FROM jsonb_to_recordset($2::jsonb) AS item (id text, kind text'],
    async (tx, values) => {
      const saved: Row[] = [];
      for (const item of jsonAt(values, 2) as readonly Row[]) {
        const row = await saveDetection(tx, { ...item, tenant_id: at(values, 1) }, at(values, 3), jsonAt(values, 4));
        if (row !== undefined) saved.push(row);
      }
      return saved.toSorted(by('id'));
    },
  ),
  statement('countUpContent', ['INSERT INTO content_heads AS h'], async (tx, values) => {
    const more = (old: Row): Row => ({ ...old, head: String(Number(old['head']) + 1) });
    const row = await tx.insert('content_heads', { tenant_id: at(values, 1), head: '1' }, more);
    return row === undefined ? [] : [row];
  }),
];

const isRemembered =
  (values: readonly unknown[]) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && listAt(values, 2).includes(String(row['key']));

/** What rules remember. */
const cacheStatements = [
  statement('lockCache', ["pg_advisory_xact_lock(hashtextextended('detection_cache/'"], async (tx, values) => {
    await tx.lock(`detection_cache/${textAt(values, 1)}`);
    return [];
  }),
  statement(
    'readCache',
    ['SELECT key, count::text, strings, dictionary, expires_at FROM detection_cache'],
    (tx, values) =>
      tx.select('detection_cache', isRemembered(values)).map((row) => ({ ...row, count: String(row['count']) })),
  ),
  statement('saveCache', ['INSERT INTO detection_cache'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    await tx.insert('detection_cache', row, () => row);
    return [row];
  }),
  statement('dropCache', ['DELETE FROM detection_cache WHERE tenant_id = $1 AND key'], (tx, values) =>
    tx.delete('detection_cache', isRemembered(values)),
  ),
];

const isTheRevision =
  (values: readonly unknown[]) =>
  (row: Row): boolean =>
    row['tenant_id'] === at(values, 1) && row['revision'] === at(values, 2);

export const detectionStatements = [
  ...contentStatements,
  ...cacheStatements,
  statement('listDetections', ['SELECT * FROM detections WHERE tenant_id = $1 ORDER BY id'], (tx, values) =>
    tx.select('detections', (row) => row['tenant_id'] === at(values, 1)).toSorted(by('id')),
  ),
  statement('keepRevision', ['INSERT INTO detection_revisions'], async (tx, values, sql) => {
    const { row } = insertedRow(sql, values, tx.now);
    const hourAgo = time(tx.now) - 3_600_000;
    const touch = (old: Row) => (time(old['used_at']) < hourAgo ? { ...old, used_at: tx.now } : undefined);
    const made = { created_at: tx.now, used_at: tx.now, ...withJson(row, 'content') };
    const kept = await tx.insert('detection_revisions', made, touch);
    return kept === undefined ? [] : [kept];
  }),
  statement('readContentHead', ['SELECT head FROM content_heads'], (tx, values) =>
    tx.select('content_heads', (row) => row['tenant_id'] === at(values, 1)),
  ),
  statement('isRevisionOld', ['AS is_old FROM detection_revisions'], (tx, values) =>
    tx
      .select('detection_revisions', isTheRevision(values))
      .map((row) => ({ is_old: time(row['used_at']) < time(tx.now) - 3_600_000 })),
  ),
  statement('touchRevision', ['UPDATE detection_revisions SET used_at = now()'], (tx, values) =>
    tx.update('detection_revisions', isTheRevision(values), () => ({ used_at: tx.now })),
  ),
  statement('findContentRevision', ['SELECT content FROM detection_revisions'], (tx, values) =>
    tx.select('detection_revisions', (row) => row['tenant_id'] === at(values, 1) && row['revision'] === at(values, 2)),
  ),
  statement('deleteUnusedRevisions', ['DELETE FROM detection_revisions r WHERE r.used_at < now()'], (tx) => {
    const named = new Set(
      tx.select('batches').map((row) => {
        const manifest = row['manifest'] as { readonly contentRevision: string } | null;
        return `${String(row['tenant_id'])}/${manifest?.contentRevision ?? ''}`;
      }),
    );
    const dayAgo = time(tx.now) - 24 * 3_600_000;
    return tx.delete(
      'detection_revisions',
      (row) => time(row['used_at']) < dayAgo && !named.has(`${String(row['tenant_id'])}/${String(row['revision'])}`),
    );
  }),
  statement('addStatistics', ['INSERT INTO detection_statistics'], async (tx, values) => {
    const hour = new Date(Math.floor(time(at(values, 2)) / 3_600_000) * 3_600_000);
    const items = JSON.parse(textAt(values, 3)) as readonly Record<string, string | number>[];
    const groups = [...Map.groupBy(items, ({ id }) => String(id))].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const added: Row[] = [];
    for (const [id, group] of groups) {
      const sum = (name: string): number => group.reduce((total, item) => total + Number(item[name]), 0);
      const more = {
        runs: sum('runs'),
        sampled_microseconds: sum('micros'),
        matches: sum('matches'),
        errors: sum('errors'),
      };
      const key = { tenant_id: at(values, 1), detection_id: id, hour };
      const grown = (old: Row): Row => ({
        ...old,
        ...Object.fromEntries(Object.entries(more).map(([name, count]) => [name, Number(old[name]) + count])),
      });
      const row = await tx.insert('detection_statistics', { ...key, ...more }, grown);
      if (row !== undefined) added.push(row);
    }
    return added;
  }),
  statement('listStatistics', ['SELECT * FROM detection_statistics'], (tx, values) => {
    const since = Math.floor(time(at(values, 2)) / 3_600_000) * 3_600_000;
    const isWanted = (row: Row): boolean =>
      row['tenant_id'] === at(values, 1) &&
      time(row['hour']) >= since &&
      (at(values, 3) === null || row['detection_id'] === at(values, 3));
    return tx
      .select('detection_statistics', isWanted)
      .toSorted((a, b) => time(b['hour']) - time(a['hour']) || by('detection_id')(a, b));
  }),
  statement('insertEvaluation', ['INSERT INTO batch_evaluations'], async (tx, values, sql) => {
    const row = withJson(insertedRow(sql, values, tx.now).row, 'alert_ids');
    const inserted = await tx.insert('batch_evaluations', row, 'nothing');
    return inserted === undefined ? [] : [inserted];
  }),
  statement('saveAlertIds', ['UPDATE batch_evaluations SET alert_ids'], (tx, values) =>
    tx.update(
      'batch_evaluations',
      (row) => row['tenant_id'] === at(values, 1) && row['batch_id'] === at(values, 2),
      () => ({ alert_ids: JSON.parse(textAt(values, 3)) }),
    ),
  ),
  statement('findAlertIds', ['SELECT alert_ids FROM batch_evaluations'], (tx, values) =>
    tx.select('batch_evaluations', (row) => row['tenant_id'] === at(values, 1) && row['batch_id'] === at(values, 2)),
  ),
];
