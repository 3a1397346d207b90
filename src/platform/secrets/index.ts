import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { TenantTx } from '#platform/postgres';

/**
 * Secrets at rest: AES-256-GCM under the tenant's data key, which is itself wrapped by the deployment's master key.
 * The purpose is bound to the text, so a secret cannot be moved to another place of the same tenant.
 */
export type Secrets = {
  encrypt(tx: TenantTx, purpose: string, text: string): Promise<Buffer>;
  /** Throws when the bytes were changed, belong to another tenant or purpose, or the tenant's key is gone. */
  decrypt(tx: TenantTx, purpose: string, bytes: Uint8Array): Promise<string>;
};

const nonceBytes = 12; // NIST SP 800-38D
const tagBytes = 16;

function seal(key: Uint8Array, bound: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
}

function open(key: Uint8Array, bound: string, sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed);
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(bound)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]);
}

/** `masterKey` is 32 bytes in base64. */
export function createSecrets(masterKey: string): Secrets {
  const master = Buffer.from(masterKey, 'base64');
  if (master.length !== 32) throw new Error('The master key has 32 bytes.');
  const keyOf = async (tx: TenantTx): Promise<Buffer> => {
    const bound = `tenant ${tx.tenantId}`;
    const find = () =>
      tx.query<{ wrapped_key: Uint8Array }>('SELECT wrapped_key FROM tenant_keys WHERE tenant_id = $1', [tx.tenantId]);
    let rows = await find();
    if (rows.length === 0) {
      const wrapped = seal(master, bound, randomBytes(32));
      await tx.execute('INSERT INTO tenant_keys (tenant_id, wrapped_key) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        tx.tenantId,
        wrapped,
      ]);
      rows = await find();
    }
    const wrapped = rows[0]?.wrapped_key;
    if (wrapped === undefined) throw new Error('The tenant has no data key.');
    return open(master, bound, wrapped);
  };
  return {
    encrypt: async (tx, purpose, text) => seal(await keyOf(tx), `${tx.tenantId} ${purpose}`, Buffer.from(text)),
    decrypt: async (tx, purpose, bytes) => open(await keyOf(tx), `${tx.tenantId} ${purpose}`, bytes).toString('utf8'),
  };
}
