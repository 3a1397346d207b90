/**
 * Whole objects under keys that begin `tenants/<id>/`. `put` returns only when the bytes survive a power loss
 * (fsynced, or acknowledged by the object service). Overwriting a key is atomic: readers see the old or the new bytes.
 */
export type ObjectStore = {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /**
   * Like `put`, but false and without effect when the key exists: of several writers exactly one gets true. In both
   * cases the object survives a power loss when this returns, which seeing it with `get` does not mean.
   */
  putNew(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Throws DomainError `not_found` when there is no such object. */
  get(key: string): Promise<Buffer>;
  delete(key: string): Promise<void>;
  /** Keys that begin with the prefix, in order, at most `limit`, after `startAfter`. */
  list(prefix: string, options?: { readonly startAfter?: string; readonly limit?: number }): Promise<readonly string[]>;
};

/** The key itself when no part of it could climb out of the store's root. Throws otherwise: such a key is a bug. */
export function checkedKey(key: string): string {
  if (key === '' || key.length > 1000 || key.split('/').some((part) => part === '' || part === '.' || part === '..'))
    throw new Error(`Not a valid object key: ${JSON.stringify(key)}`);
  return key;
}

/** Key of a tenant's object. Each part is checked, so that no input can climb out of the tenant's folder. */
export function tenantKey(tenantId: string, ...parts: readonly string[]): string {
  for (const part of [tenantId, ...parts]) {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(part))
      throw new Error(`Not a valid object key part: ${JSON.stringify(part)}`);
  }
  return ['tenants', tenantId, ...parts].join('/');
}
