import { type Actor, referenceOf, systemActor } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import { listDetections, saveDetections } from '../detection-store.ts';
import type { SandboxPool } from '../sandbox/sandbox-contract.ts';
import { checkUpload, type UploadIssue } from './upload-content.ts';
import { resultOf, type UploadResult } from './upload-result.ts';
import { findUpload, finishUpload, lockUploads, type StoredUpload, uploadKey } from './upload-store.ts';

export type ApplyDeps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check'>;
};

/** An upload that is refused: what is wrong with which file. Clients read the text as JSON. */
class UploadRefused extends DomainError {
  constructor(issues: readonly UploadIssue[]) {
    super('bad_input', {
      field: 'data',
      publicMessage: JSON.stringify({
        error: `The upload has ${issues.length} problem${issues.length === 1 ? '' : 's'}; nothing was saved.`,
        issues,
      }),
    });
  }
}

/** Checks an archive and saves all of it, or nothing. Throws UploadRefused, or `conflict` while another one is at work. */
export async function applyArchive(
  { database, audit, sandbox }: ApplyDeps,
  actor: Actor,
  archive: Buffer,
  uploadId: string | undefined,
): Promise<UploadResult> {
  const { tenantId } = actor;
  const saved = await database.withTenant(tenantId, listDetections);
  const { items, issues } = await checkUpload({ sandbox, tenantId }, archive, saved);
  if (issues.length > 0) throw new UploadRefused(issues);
  return database.withTenant(tenantId, async (tx) => {
    if (!(await lockUploads(tx))) throw anotherUpload();
    const changed = await saveDetections({ tx, changedBy: referenceOf(actor) }, items);
    const result = resultOf(items, changed);
    const counts = { new: changed.newIds.length, modified: changed.modifiedIds.length, total: items.length };
    await audit.recordAction(tx, actor, 'BULK_UPLOAD_DETECTIONS', {
      target: { kind: 'upload', id: uploadId ?? 'direct' },
      parameters: counts,
    });
    return result;
  });
}

export const anotherUpload = (): DomainError =>
  new DomainError('conflict', { publicMessage: 'There is another upload in progress. Try again when it is over.' });

type ProcessDeps = ApplyDeps & { readonly objects: Pick<ObjectStore, 'get' | 'delete'> };

async function outcomeOf(
  deps: ProcessDeps,
  actor: Actor,
  upload: StoredUpload,
  archive: Buffer,
): Promise<{ readonly error: string } | { readonly result: unknown }> {
  try {
    if (upload.kind === 'UPLOAD') return { result: await applyArchive(deps, actor, archive, upload.id) };
    const saved = await deps.database.withTenant(actor.tenantId, listDetections);
    const { issues } = await checkUpload({ sandbox: deps.sandbox, tenantId: actor.tenantId }, archive, saved);
    return { result: { issues } };
  } catch (error) {
    // What a person can mend is the outcome; anything else is tried again.
    if (error instanceof DomainError && error.code === 'bad_input') return { error: error.publicMessage };
    throw error;
  }
}

/** Works on a receipt; running it twice changes nothing. */
export async function processUpload(deps: ProcessDeps, tenantId: string, uploadId: string): Promise<void> {
  const upload = await deps.database.withTenant(tenantId, (tx) => findUpload(tx, uploadId));
  if (upload === undefined || upload.status !== 'NOT_PROCESSED') return;
  const key = uploadKey(tenantId, uploadId);
  const archive = await deps.objects.get(key);
  const actor = systemActor(tenantId, `upload by ${upload.actor.name}`, upload.actor.traceId);
  const outcome = await outcomeOf(deps, actor, upload, archive);
  await deps.database.withTenant(tenantId, (tx) => finishUpload(tx, uploadId, outcome));
  await deps.objects.delete(key);
}

/** Ends a receipt that was tried too often. */
export async function giveUpUpload(
  { database }: Pick<ProcessDeps, 'database'>,
  tenantId: string,
  uploadId: string,
): Promise<void> {
  await database.withTenant(tenantId, (tx) => finishUpload(tx, uploadId, { error: 'upload failed' }));
}
