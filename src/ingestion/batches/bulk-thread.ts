import { Worker } from 'node:worker_threads';
import type { LogRows, Normalized } from '../normalize/normalize.ts';
import type { BodyLimits } from '../streams/body.ts';
import { normalizeBatch, type RawBatch } from './normalize-batch.ts';

/** Turns raw batches into rows. */
export type Normalizer = {
  normalize(raw: RawBatch, limits: BodyLimits): Promise<Normalized>;
  close(): Promise<void>;
};

/** What the thread is asked, and what it says. Without `normalized` it could not; whoever asked finds out why. */
export type BulkRequest = { readonly id: number; readonly raw: RawBatch; readonly limits: BodyLimits };
export type BulkAnswer = { readonly id: number; readonly normalized?: Normalized };

/** So little is read in a millisecond or two, or in a few when it is packed; more would keep others waiting. */
const atOnceBytesMax = 16 * 1024;

/** Reads every batch in the thread it is called in. */
export const inPlace: Normalizer = {
  normalize: (raw, limits) => normalizeBatch(raw, limits, () => undefined),
  close: async () => undefined,
};

type Asked = { readonly resolve: (answer: BulkAnswer) => void; readonly reject: (error: Error) => void };

/** Buffers arrive from another thread as plain arrays of bytes. */
const withBuffers = ({ logs, failures }: Normalized): Normalized => ({
  logs: logs.map(({ rows, ...log }: LogRows) => ({
    ...log,
    rows: Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength),
  })),
  failures,
});

/**
 * Reads single events at once and mountains in a thread of low priority, so that the many short steps of a small batch
 * never wait for a large one. The thread starts with the first large batch; when it ends, a next one takes its place.
 */
export function createNormalizer(): Normalizer {
  const asked = new Map<number, Asked>();
  let nextId = 0;
  let current: Worker | undefined;
  const start = (): Worker => {
    const worker = new Worker(new URL('bulk-thread-main.ts', import.meta.url), { execArgv: [], env: {} });
    const end = (error?: unknown): void => {
      if (current !== worker) return;
      current = undefined;
      for (const { reject } of asked.values())
        reject(new Error('The thread that reads large batches ended.', { cause: error }));
      asked.clear();
    };
    worker.on('message', (answer: BulkAnswer) => {
      asked.get(answer.id)?.resolve(answer);
      asked.delete(answer.id);
    });
    worker.on('error', end).on('exit', () => end());
    return worker;
  };
  const ask = (raw: RawBatch, limits: BodyLimits): Promise<BulkAnswer> =>
    new Promise((resolve, reject) => {
      current ??= start();
      const id = nextId++;
      asked.set(id, { resolve, reject });
      current.postMessage({ id, raw, limits } satisfies BulkRequest);
    });
  return {
    async normalize(raw, limits) {
      if (raw.bytes.length <= atOnceBytesMax) return inPlace.normalize(raw, limits);
      const { normalized } = await ask(raw, limits);
      // An error does not survive the way from one thread to another; the same bytes raise the same one here.
      return normalized === undefined ? inPlace.normalize(raw, limits) : withBuffers(normalized);
    },
    async close() {
      await current?.terminate();
    },
  };
}
