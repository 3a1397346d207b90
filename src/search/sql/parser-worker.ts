/**
 * Parses in a thread of its own: hostile text can exhaust the stack of the parser's WebAssembly, after which that
 * instance is unusable. The thread is then thrown away, and nothing else is hurt.
 */
import { parentPort } from 'node:worker_threads';
import { init, parse } from '@guanmingchiu/sqlparser-ts';

await init();

type Request = { readonly id: number; readonly sql: string; readonly dialect: 'snowflake' | 'clickhouse' };

parentPort?.on('message', ({ id, sql, dialect }: Request) => {
  try {
    parentPort?.postMessage({ id, statements: parse(sql, dialect) });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ id, error: message, isBroken: !message.startsWith('sql parser error') });
  }
});
parentPort?.postMessage({ isReady: true });
