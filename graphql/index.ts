export type { Services } from './context.ts';
export { registerGraphql } from './server.ts';
export { createPersistedQueries, readManifest } from './persisted.ts';
