import { randomBytes } from 'node:crypto';
import { DomainError } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import type { MasterKeys } from './master-keys.ts';

/** Data keys of tenants, one each, made when first needed and kept wrapped in Postgres. */
export type TenantKeys = {
  /** 32 bytes. Throws when the tenant is gone, its key was destroyed, or no known master key opens it. */
  keyOf(tx: TenantTx): Promise<Buffer>;
};

type KeyRow = { wrapped_key: Uint8Array; master_key_id: string | null };

const cannotOpen = (tenantId: string) =>
  new DomainError('unavailable', {
    publicMessage: 'The key of this organization cannot be opened. The operator of this deployment knows why.',
    detail: { tenantId, reason: 'No known master key opens the data key; see docs/operations.md, Keys.' },
  });

export function createTenantKeys(masterKeys: MasterKeys): TenantKeys {
  const find = async (tx: TenantTx): Promise<KeyRow | undefined> => {
    const rows = await tx.query<KeyRow>('SELECT wrapped_key, master_key_id FROM tenant_keys WHERE tenant_id = $1', [
      tx.tenantId,
    ]);
    return rows[0];
  };
  const make = async (tx: TenantTx): Promise<KeyRow | undefined> => {
    const { wrapped, masterKeyId } = masterKeys.wrap(tx.tenantId, randomBytes(32));
    await tx.execute(
      // A tenant that is being erased gets no key again; the lock lets the one who shuts it come before or after.
      `INSERT INTO tenant_keys (tenant_id, wrapped_key, master_key_id)
       SELECT id, $2, $3 FROM tenants WHERE id = $1 AND erasing_at IS NULL FOR SHARE ON CONFLICT DO NOTHING`,
      [tx.tenantId, wrapped, masterKeyId],
    );
    return find(tx);
  };
  return {
    async keyOf(tx) {
      const row = (await find(tx)) ?? (await make(tx));
      if (row === undefined)
        throw new DomainError('not_found', { publicMessage: 'This organization has no data key: it is being erased.' });
      const opened = masterKeys.unwrap(tx.tenantId, { wrapped: row.wrapped_key, masterKeyId: row.master_key_id });
      if (opened === undefined) throw cannotOpen(tx.tenantId);
      return opened;
    },
  };
}

type KeyCensus = {
  readonly total: number;
  /** Wrapped by the current master key. */
  readonly current: number;
  /** Opened by a previous master key only: `margay keys rotate` re-wraps them. */
  readonly previous: number;
  readonly unopened: number;
};

type WrappedRow = KeyRow & { tenant_id: string };

const kindOf = (masterKeys: MasterKeys, row: WrappedRow): 'current' | 'previous' | 'unopened' => {
  const wrapped = { wrapped: row.wrapped_key, masterKeyId: row.master_key_id };
  if (masterKeys.unwrap(row.tenant_id, wrapped) === undefined) return 'unopened';
  return row.master_key_id === masterKeys.currentId ? 'current' : 'previous';
};

/** How the data keys of all tenants are wrapped. */
export async function countKeys(database: Database, masterKeys: MasterKeys): Promise<KeyCensus> {
  const rows = await database.withSystem('the key census looks at all tenants', (tx) =>
    tx.query<WrappedRow>('SELECT tenant_id, wrapped_key, master_key_id FROM tenant_keys'),
  );
  const census = { total: rows.length, current: 0, previous: 0, unopened: 0 };
  for (const row of rows) census[kindOf(masterKeys, row)] += 1;
  return census;
}

/**
 * Wraps every data key anew with the current master key, in one transaction: all or none. The data keys stay, so
 * nothing that they encrypted has to be touched. Throws when one cannot be opened; then nothing has changed.
 */
export async function rewrapKeys(database: Database, masterKeys: MasterKeys): Promise<number> {
  return database.withSystem('rotation of the master key concerns all tenants', async (tx) => {
    const rows = await tx.query<WrappedRow>(
      'SELECT tenant_id, wrapped_key, master_key_id FROM tenant_keys ORDER BY tenant_id FOR UPDATE',
    );
    let count = 0;
    for (const row of rows) {
      const dataKey = masterKeys.unwrap(row.tenant_id, { wrapped: row.wrapped_key, masterKeyId: row.master_key_id });
      if (dataKey === undefined)
        throw new Error(
          `No known master key opens the key of tenant ${row.tenant_id}; nothing was changed. Add the key it was wrapped with to MARGAY_PREVIOUS_MASTER_KEYS.`,
        );
      if (row.master_key_id === masterKeys.currentId) continue;
      const { wrapped, masterKeyId } = masterKeys.wrap(row.tenant_id, dataKey);
      await tx.execute('UPDATE tenant_keys SET wrapped_key = $2, master_key_id = $3 WHERE tenant_id = $1', [
        row.tenant_id,
        wrapped,
        masterKeyId,
      ]);
      count += 1;
    }
    return count;
  });
}

/** What encrypting a tenant's objects needs to know. */
export type ObjectKey = {
  readonly dataKey: Buffer;
  /** Whether objects from before encryption may still be there. */
  readonly mayBePlain: boolean;
};

/** A destroyed key is forgotten by every process within this time. */
const cacheMs = 30_000;

/** Keys by tenant for the object store, which knows no transaction; each is read again after half a minute. */
export function createObjectKeys(database: Database, keys: TenantKeys): (tenantId: string) => Promise<ObjectKey> {
  const cache = new Map<string, { readonly key: Promise<ObjectKey>; readonly readAtMs: number }>();
  const read = (tenantId: string): Promise<ObjectKey> =>
    database.withTenant(tenantId, async (tx) => {
      const rows = await tx.query<{ has_plain_objects: boolean }>(
        'SELECT has_plain_objects FROM tenants WHERE id = $1',
        [tenantId],
      );
      return { dataKey: await keys.keyOf(tx), mayBePlain: rows[0]?.has_plain_objects === true };
    });
  return (tenantId) => {
    const cached = cache.get(tenantId);
    if (cached !== undefined && performance.now() - cached.readAtMs < cacheMs) return cached.key;
    if (cache.size > 10_000) cache.clear();
    const key = read(tenantId);
    key.catch(() => cache.delete(tenantId));
    cache.set(tenantId, { key, readAtMs: performance.now() });
    return key;
  };
}
