import type { Evaluator } from '#detections';
import { type BatchProcessor, processBatchJob } from '#ingestion';
import { handle, type JobHandler } from '#platform/jobs';

type Deps = { readonly batches: BatchProcessor; readonly evaluator: Evaluator };

const leaseRenewalMs = 7000;

/** Waits for both, also when one fails: a failed batch has nothing at work any more. */
async function both<First>(first: Promise<First>, second: Promise<unknown>): Promise<First> {
  await Promise.allSettled([first, second]);
  await second;
  return first;
}

/** One admitted batch from raw bytes to alerts. Running it twice changes nothing; a failure goes back to the backlog. */
export function processBatch({ batches, evaluator }: Deps): JobHandler {
  const run = async (tenantId: string, batchId: string): Promise<void> => {
    const prepared = await batches.prepare(tenantId, batchId, () => evaluator.currentRevision(tenantId));
    if (prepared === undefined) return;
    const { batch, manifest, normalized } = prepared;
    const evaluation = evaluator.evaluate({
      tenantId,
      batchId,
      contentRevision: manifest.contentRevision,
      evaluatedAt: new Date(manifest.evaluatedAt),
      receivedAt: batch.receivedAt,
      traceId: batch.traceId,
      logs: normalized.logs,
    });
    // An alert does not wait until the rows are on the disk.
    const results = await both(evaluation, batches.store(prepared));
    await batches.finish(prepared, results);
  };
  return handle(processBatchJob, async ({ payload: { tenantId, batchId }, log }) => {
    const renewal = setInterval(
      () => void batches.extendLease(tenantId, batchId).catch(() => undefined),
      leaseRenewalMs,
    );
    try {
      await run(tenantId, batchId);
    } catch (error) {
      const isGivenUp = await batches.fail(tenantId, batchId, error);
      log.error('batch_failed', { tenantId, batchId, isGivenUp, error });
    } finally {
      clearInterval(renewal);
    }
  });
}
