import { resultsKey, uploadKey } from '#detections';
import type { Dump } from '#platform/postgres';

type Named = { tenant_id: string; id: string; key: string };
type Source = { readonly sql: string; readonly keyOf: (row: Named) => string };

const perPage = 5000;

/**
 * Raw bodies of every batch (a replay reads those of the batch it replays), rows that are not in the lake yet, results of
 * detections, archives that wait to be worked on. Results of queries are not among them: asking again brings them back.
 */
const sources: readonly Source[] = [
  {
    sql: 'SELECT b.tenant_id, b.id::text, b.object_key AS key FROM batches b WHERE b.replay_of IS NULL',
    keyOf: ({ key }) => key,
  },
  {
    sql: `SELECT c.tenant_id, c.id::text, c.object_key AS key FROM lake_chunks c
      LEFT JOIN lake_loads l ON l.tenant_id = c.tenant_id AND l.id = c.load_id WHERE l.state IS DISTINCT FROM 'LOADED'`,
    keyOf: ({ key }) => key,
  },
  {
    sql: "SELECT e.tenant_id, e.batch_id::text AS id, '' AS key FROM batch_evaluations e",
    keyOf: ({ tenant_id, id }) => resultsKey(tenant_id, id),
  },
  {
    sql: "SELECT u.tenant_id, u.id::text, '' AS key FROM content_uploads u WHERE u.status = 'NOT_PROCESSED' AND u.kind <> 'SESSION'",
    keyOf: ({ tenant_id, id }) => uploadKey(tenant_id, id),
  },
];

/**
 * Keys of the objects that rows of the moment name. What lies in the store beside them belongs to work that the moment
 * does not know, or that will be done anew. Tenants that are being erased have none.
 */
export async function* namedObjects({ tx }: Pick<Dump, 'tx'>): AsyncGenerator<readonly string[]> {
  for (const { sql, keyOf } of sources) {
    let [tenantId, id] = ['00000000-0000-0000-0000-000000000000', ''];
    for (;;) {
      const rows = await tx.query<Named>(
        `SELECT s.tenant_id, s.id, s.key FROM (${sql}) s JOIN tenants t ON t.id = s.tenant_id AND t.erasing_at IS NULL
         WHERE (s.tenant_id, s.id) > ($1, $2) ORDER BY s.tenant_id, s.id LIMIT ${perPage}`,
        [tenantId, id],
      );
      if (rows.length === 0) break;
      yield rows.map(keyOf);
      tenantId = rows.at(-1)?.tenant_id ?? '';
      id = rows.at(-1)?.id ?? '';
    }
  }
}

/** Tables of the lake that the moment knows. */
export async function namedLakeTables({
  tx,
}: Pick<Dump, 'tx'>): Promise<readonly { readonly database: string; readonly table: string }[]> {
  return tx.query<{ database: string; table: string }>(
    `SELECT DISTINCT l.database_name AS database, l.table_name AS table FROM lake_tables l
     JOIN tenants t ON t.id = l.tenant_id AND t.erasing_at IS NULL ORDER BY 1, 2`,
  );
}
