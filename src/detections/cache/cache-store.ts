import type { TenantTx, Tx } from '#platform/postgres';
import { applyChange, type CacheChange, type CacheItem } from './cache-item.ts';

type Row = {
  readonly key: string;
  readonly count: string;
  readonly strings: readonly string[];
  readonly dictionary: string | null;
  readonly expires_at: Date;
};

/** Items of the tenant; those that have expired too, since the reader decides by its own moment. */
export async function readCache(tx: TenantTx, keys: readonly string[]): Promise<ReadonlyMap<string, CacheItem>> {
  const rows = await tx.query<Row>(
    'SELECT key, count::text, strings, dictionary, expires_at FROM detection_cache WHERE tenant_id = $1 AND key = ANY ($2)',
    [tx.tenantId, keys],
  );
  return new Map(
    rows.map(({ key, count, strings, dictionary, expires_at }) => [
      key,
      { count: Number(count), strings, dictionary, expiresAt: expires_at },
    ]),
  );
}

/**
 * Applies a batch's changes, in the transaction of its other effects. Batches of one tenant do so one after another,
 * so that relative changes add up.
 */
export async function applyCacheChanges(tx: TenantTx, changes: readonly CacheChange[], now: Date): Promise<void> {
  if (changes.length === 0) return;
  await tx.execute(`SELECT pg_advisory_xact_lock(hashtextextended('detection_cache/' || $1, 0))`, [tx.tenantId]);
  const stored = await readCache(
    tx,
    changes.map((change) => change.key),
  );
  const gone: string[] = [];
  for (const change of changes) {
    const item = applyChange(stored.get(change.key), change, now);
    if (item === undefined) gone.push(change.key);
    else
      await tx.execute(
        `INSERT INTO detection_cache (tenant_id, key, count, strings, dictionary, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (tenant_id, key) DO UPDATE SET count = excluded.count, strings = excluded.strings,
           dictionary = excluded.dictionary, expires_at = excluded.expires_at`,
        [tx.tenantId, change.key, item.count, item.strings, item.dictionary, item.expiresAt],
      );
  }
  if (gone.length > 0)
    await tx.execute('DELETE FROM detection_cache WHERE tenant_id = $1 AND key = ANY ($2)', [tx.tenantId, gone]);
}

const keysPerTenantMax = 1_000_000;
const sweepRows = 10_000;

/**
 * Deletes what has expired, at most some thousands of rows a call, and of a tenant with too many keys those that would
 * expire first. Returns how many.
 */
export async function sweepCache(tx: Tx, now: Date): Promise<number> {
  const expired = await tx.execute(
    `DELETE FROM detection_cache WHERE (tenant_id, key) IN
       (SELECT tenant_id, key FROM detection_cache WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    [now, sweepRows],
  );
  const excess = await tx.execute(
    `DELETE FROM detection_cache WHERE (tenant_id, key) IN
       (SELECT tenant_id, key FROM
          (SELECT tenant_id, key, row_number() OVER (PARTITION BY tenant_id ORDER BY expires_at DESC) AS place
           FROM detection_cache WHERE tenant_id IN
             (SELECT tenant_id FROM detection_cache GROUP BY tenant_id HAVING count(*) > $1)) AS placed
        WHERE place > $1 LIMIT $2)`,
    [keysPerTenantMax, sweepRows],
  );
  return expired + excess;
}
