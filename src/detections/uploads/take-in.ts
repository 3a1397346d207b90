import type { Actor, Operation } from '#access';
import type { AuditRecorder } from '#audit';
import type { Ids } from '#platform/ids';
import { sendInTransaction } from '#platform/jobs';
import type { ObjectStore } from '#platform/objects';
import type { Database, TenantTx } from '#platform/postgres';
import { anotherUpload } from './apply-upload.ts';
import { processUploadJob } from './upload-jobs.ts';
import { hasWaitingUpload, insertUpload, type StoredUpload, uploadKey } from './upload-store.ts';

export type TakeInDeps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly ids: Ids;
};

type Archive = Pick<StoredUpload, 'kind' | 'mode'> & { readonly bytes: Buffer; readonly operation: Operation };

/** Who uploads, as the receipt keeps it. */
export const uploaderOf = ({ id, kind, name, origin }: Actor): StoredUpload['actor'] => ({
  id,
  kind,
  name,
  traceId: origin.traceId,
});

async function insert({ audit }: TakeInDeps, tx: TenantTx, actor: Actor, id: string, archive: Archive): Promise<void> {
  const { kind, mode, bytes, operation } = archive;
  if (kind === 'UPLOAD' && (await hasWaitingUpload(tx))) throw anotherUpload();
  await insertUpload(tx, { id, kind, mode, actor: uploaderOf(actor) });
  await sendInTransaction(tx, processUploadJob, { tenantId: actor.tenantId, uploadId: id });
  await audit.record(tx, actor, operation, {
    target: { kind: 'upload', id },
    parameters: { bytes: bytes.length, ...(kind === 'DRY_RUN' ? { dryRun: true } : {}) },
  });
}

/** Keeps an archive and its receipt; a worker does the rest. Returns the receipt's id. */
export async function takeIn(deps: TakeInDeps, actor: Actor, archive: Archive): Promise<string> {
  const id = deps.ids.uuid();
  const key = uploadKey(actor.tenantId, id);
  await deps.objects.put(key, archive.bytes);
  try {
    await deps.database.withTenant(actor.tenantId, (tx) => insert(deps, tx, actor, id, archive));
  } catch (error) {
    await deps.objects.delete(key);
    throw error;
  }
  return id;
}
