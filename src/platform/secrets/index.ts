export { createMasterKeys, type MasterKeys, type MasterKeyTexts } from './master-keys.ts';
export { openWithPassphrase, sealWithPassphrase } from './passphrase.ts';
export { createSecrets, type Secrets } from './secrets.ts';
export { countKeys, createObjectKeys, createTenantKeys, rewrapKeys } from './tenant-keys.ts';
