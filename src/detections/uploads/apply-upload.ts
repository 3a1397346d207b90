import { type Actor, referenceOf, systemActor } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { ObjectStore } from '#platform/objects';
import { type Database, mayRun } from '#platform/postgres';
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

/** The receipt has its outcome already: a worker that was thought dead, or one that died later, has done the work. */
class AlreadyProcessed extends Error {
  override readonly name = 'AlreadyProcessed';
}

/** Takes back a transaction whose outcome is wanted all the same. */
class Rehearsed extends Error {
  override readonly name = 'Rehearsed';
  readonly result: UploadResult;
  constructor(result: UploadResult) {
    super('Nothing was saved.');
    this.result = result;
  }
}

/**
 * Checks an archive and saves all of it, or nothing; the outcome goes onto the receipt in the same transaction, so that
 * it says what changed however often the work is begun. Throws UploadRefused, or `conflict` while another one is at work.
 */
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
    if (uploadId !== undefined && !(await finishUpload(tx, uploadId, { result }))) throw new AlreadyProcessed();
    return result;
  });
}

export const anotherUpload = (): DomainError =>
  new DomainError('conflict', { publicMessage: 'There is another upload in progress. Try again when it is over.' });

type ArchiveDeps = { readonly database: Database; readonly objects: Pick<ObjectStore, 'delete'> };
type ProcessDeps = ApplyDeps & ArchiveDeps & { readonly objects: Pick<ObjectStore, 'get'> };

/** A backup copies what the receipts of its moment name; what it keeps from being deleted goes with its receipt. */
const deleteArchive = ({ database, objects }: ArchiveDeps, tenantId: string, uploadId: string): Promise<void> =>
  database.withTenant(tenantId, async (tx) => {
    if (await mayRun(tx, 'deletions')) await objects.delete(uploadKey(tenantId, uploadId));
  });

async function validateArchive({ database, sandbox }: ProcessDeps, tenantId: string, archive: Buffer) {
  const saved = await database.withTenant(tenantId, listDetections);
  return checkUpload({ sandbox, tenantId }, archive, saved);
}

/** Saves an archive and takes that back: what would change, as exactly as a change says it. */
async function rehearseArchive(deps: ProcessDeps, actor: Actor, archive: Buffer): Promise<UploadResult> {
  const { tenantId } = actor;
  const { items, issues } = await validateArchive(deps, tenantId, archive);
  if (issues.length > 0) throw new UploadRefused(issues);
  try {
    return await deps.database.withTenant(tenantId, async (tx) => {
      throw new Rehearsed(resultOf(items, await saveDetections({ tx, changedBy: referenceOf(actor) }, items)));
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.result;
    throw error;
  }
}

async function work(deps: ProcessDeps, actor: Actor, upload: StoredUpload): Promise<void> {
  const { tenantId } = actor;
  const finish = (outcome: Parameters<typeof finishUpload>[2]) =>
    deps.database.withTenant(tenantId, (tx) => finishUpload(tx, upload.id, outcome));
  const archive = await deps.objects.get(uploadKey(tenantId, upload.id));
  try {
    if (upload.kind === 'UPLOAD') await applyArchive(deps, actor, archive, upload.id);
    else if (upload.kind === 'DRY_RUN') await finish({ result: await rehearseArchive(deps, actor, archive) });
    else await finish({ result: { issues: (await validateArchive(deps, tenantId, archive)).issues } });
  } catch (error) {
    if (error instanceof AlreadyProcessed) return;
    // What a person can mend is the outcome; anything else is tried again.
    if (!(error instanceof DomainError) || error.code !== 'bad_input') throw error;
    await finish({ error: error.publicMessage });
  }
}

/** Works on a receipt; running it twice changes nothing. */
export async function processUpload(deps: ProcessDeps, tenantId: string, uploadId: string): Promise<void> {
  const upload = await deps.database.withTenant(tenantId, (tx) => findUpload(tx, uploadId));
  if (upload === undefined) return;
  const actor = systemActor(tenantId, `upload by ${upload.actor.name}`, upload.actor.traceId);
  if (upload.status === 'NOT_PROCESSED') await work(deps, actor, upload);
  await deleteArchive(deps, tenantId, uploadId);
}

/** Ends a receipt that was tried too often. */
export async function giveUpUpload(deps: ArchiveDeps, tenantId: string, uploadId: string): Promise<void> {
  await deps.database.withTenant(tenantId, (tx) => finishUpload(tx, uploadId, { error: 'upload failed' }));
  await deleteArchive(deps, tenantId, uploadId);
}
