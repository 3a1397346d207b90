import { z } from 'zod';
import { type Actor, admit, defineMutation, defineQuery } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { Database, TenantTx } from '#platform/postgres';
import type { Batch } from './batch.ts';
import { findBatch, insertBatch, listReplays, reopenBatch } from './batch-store.ts';

const id = z.uuid('is not the id of a batch');

const batch = defineQuery({
  name: 'batch',
  summary: 'One batch: where it is, its plan and what came of it.',
  permission: 'LogSourceRead',
  input: z.strictObject({ id }),
});

const replayBatch = defineMutation({
  name: 'replayBatch',
  summary:
    'Tries a failed batch again, or the records of a finished one that fitted no schema, with the schemas of today.',
  permission: 'LogSourceModify',
  audit: 'REPLAY_BATCH',
  input: z.strictObject({ id }),
});

export const batchOperations = [batch, replayBatch];

export type BatchService = {
  get(actor: Actor, input: unknown): Promise<Batch>;
  /** Returns the batch that does the work: the failed one itself, or a new one for the unclassified records. */
  replay(actor: Actor, input: unknown): Promise<Batch>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly clock: Clock; readonly ids: Ids };

async function get(tx: TenantTx, wanted: string): Promise<Batch> {
  const found = await findBatch(tx, wanted);
  if (found === undefined) throw notFound('batch', wanted);
  return found;
}

/** A new batch over the same bytes; which records it takes follows from the plans of those before it. */
async function replayUnclassified({ clock, ids }: Deps, tx: TenantTx, found: Batch): Promise<string> {
  const original = found.replayOf === null ? found : await get(tx, found.replayOf);
  const open = (await listReplays(tx, original.id)).find((other) => other.state !== 'DONE');
  if (open !== undefined)
    throw new DomainError('conflict', { publicMessage: `The batch is being replayed already, as ${open.id}.` });
  const newId = ids.uuid();
  const { sourceId, objectKey, parts, bytes, traceId } = original;
  await insertBatch(tx, {
    id: newId,
    sourceId,
    lane: 'replay',
    receivedAt: clock.now(),
    objectKey,
    parts,
    bytes,
    traceId,
    replayOf: original.id,
  });
  return newId;
}

export function createBatchService(deps: Deps): BatchService {
  const { database, audit } = deps;
  return {
    async get(actor, input) {
      const { id: wanted } = admit(actor, batch, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, wanted));
    },
    async replay(actor, input) {
      const { id: wanted } = admit(actor, replayBatch, input);
      return database.withTenant(actor.tenantId, async (tx) => {
        const found = await get(tx, wanted);
        if (found.state === 'PENDING' || found.state === 'ADMITTED')
          throw new DomainError('conflict', {
            publicMessage: 'The batch is still waiting or at work; nothing needs to be replayed.',
          });
        const worker = found.state === 'FAILED' ? wanted : await replayUnclassified(deps, tx, found);
        if (found.state === 'FAILED') await reopenBatch(tx, wanted);
        await audit.record(tx, actor, replayBatch, { target: { kind: 'batch', id: wanted }, parameters: { worker } });
        return get(tx, worker);
      });
    },
  };
}
