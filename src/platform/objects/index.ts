export { encryptObjects } from './encrypted-object-store.ts';
export { createLocalObjectStore } from './local-object-store.ts';
export type { ObjectStore } from './object-store.ts';
export { tenantKey } from './object-store.ts';
export { createS3ObjectStore } from './s3-object-store.ts';
