export type { Services } from './context.ts';
export { registerGraphql } from './server.ts';
