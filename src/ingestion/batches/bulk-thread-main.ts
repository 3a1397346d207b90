/** Thread of a worker in which large batches become rows, a few milliseconds of each in turn. */
import { getPriority, platform, setPriority } from 'node:os';
import { setImmediate as giveWay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import type { BulkAnswer, BulkRequest } from './bulk-thread.ts';
import { normalizeBatch } from './normalize-batch.ts';

// Only Linux counts priority by thread; elsewhere this would hold back the whole worker.
if (platform() === 'linux') setPriority(Math.min(19, getPriority() + 10));

async function answerTo({ id, raw, limits }: BulkRequest): Promise<BulkAnswer> {
  try {
    return { id, normalized: await normalizeBatch(raw, limits, () => giveWay()) };
  } catch {
    return { id };
  }
}

parentPort?.on('message', (request: BulkRequest) => {
  void answerTo(request).then((answer) => parentPort?.postMessage(answer));
});
