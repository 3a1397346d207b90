import type { TenantTx } from '#platform/postgres';
import { open, seal } from './seal.ts';
import type { TenantKeys } from './tenant-keys.ts';

/**
 * Secrets at rest: AES-256-GCM under the tenant's data key, which is itself wrapped by the deployment's master key.
 * The purpose is bound to the text, so a secret cannot be moved to another place of the same tenant.
 */
export type Secrets = {
  encrypt(tx: TenantTx, purpose: string, text: string): Promise<Buffer>;
  /** Throws when the bytes were changed, belong to another tenant or purpose, or the tenant's key is gone. */
  decrypt(tx: TenantTx, purpose: string, bytes: Uint8Array): Promise<string>;
};

export function createSecrets(keys: TenantKeys): Secrets {
  return {
    encrypt: async (tx, purpose, text) => seal(await keys.keyOf(tx), `${tx.tenantId} ${purpose}`, Buffer.from(text)),
    decrypt: async (tx, purpose, bytes) =>
      open(await keys.keyOf(tx), `${tx.tenantId} ${purpose}`, bytes).toString('utf8'),
  };
}
