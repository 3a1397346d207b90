import { createCipheriv, randomBytes } from 'node:crypto';
import { createMasterKeys, createSecrets, createTenantKeys } from '#platform/secrets';

const masterKeyBytes = Buffer.alloc(32, 7);

/** The master key of tests. */
export const testMasterKeys = createMasterKeys({ current: masterKeyBytes.toString('base64'), previous: [] });

export const testSecrets = () => createSecrets(createTenantKeys(testMasterKeys));

/** Nonce, tag, ciphertext: what every version so far has written. */
function seal(key: Uint8Array, bound: string, plain: Uint8Array): Buffer {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]);
}

/** A data key and a secret of a tenant as the first version stored them, without a name of the master key. */
export function sealAsFirstVersion(tenantId: string, purpose: string, text: string) {
  const dataKey = randomBytes(32);
  return {
    wrappedKey: seal(masterKeyBytes, `tenant ${tenantId}`, dataKey),
    secret: seal(dataKey, `${tenantId} ${purpose}`, Buffer.from(text)),
  };
}
