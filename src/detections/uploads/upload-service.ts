import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { sendInTransaction } from '#platform/jobs';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import type { SandboxPool } from '../sandbox/sandbox-contract.ts';
import { anotherUpload, applyArchive } from './apply-upload.ts';
import { processUploadJob } from './upload-jobs.ts';
import * as operations from './upload-operations.ts';
import type { UploadIssue } from './upload-content.ts';
import type { UploadResult } from './upload-result.ts';
import {
  findUpload,
  hasWaitingUpload,
  insertUpload,
  type StoredUpload,
  type UploadKind,
  uploadKey,
} from './upload-store.ts';

type UploadStatus = Omit<StoredUpload, 'result' | 'actor' | 'kind'> & { readonly result: UploadResult | null };
type ValidationStatus = Pick<StoredUpload, 'status' | 'error'> & {
  readonly result: { readonly issues: readonly UploadIssue[] } | null;
};

export type UploadService = {
  upload(actor: Actor, input: unknown): Promise<UploadResult>;
  uploadAsync(actor: Actor, input: unknown): Promise<{ readonly receiptId: string }>;
  status(actor: Actor, input: unknown): Promise<UploadStatus>;
  validate(actor: Actor, input: unknown): Promise<{ readonly receiptId: string }>;
  validationStatus(actor: Actor, input: unknown): Promise<ValidationStatus>;
  featureFlags(actor: Actor, input: unknown): readonly { readonly flag: string; readonly treatment: boolean }[];
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check'>;
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly ids: Ids;
};

/** What this deployment has, by the names that clients ask for. */
const features = new Set(['EnableCorrelationRules']);

function archiveOf(data: string, mode: StoredUpload['mode']): Buffer {
  if (mode === 'V2_ZIP')
    throw badInput('mode', 'mode: only CLASSIC_ZIP is supported: send YAML and Python files, not Python classes');
  return Buffer.from(data, 'base64');
}

async function takeIn(
  { database, audit, objects, ids }: Deps,
  actor: Actor,
  archive: Buffer,
  kind: UploadKind,
): Promise<{ readonly receiptId: string }> {
  const id = ids.uuid();
  const key = uploadKey(actor.tenantId, id);
  await objects.put(key, archive);
  try {
    await database.withTenant(actor.tenantId, async (tx) => {
      if (kind === 'UPLOAD' && (await hasWaitingUpload(tx))) throw anotherUpload();
      const { id: actorId, kind: actorKind, name, origin } = actor;
      const who = { id: actorId, kind: actorKind, name, traceId: origin.traceId };
      await insertUpload(tx, { id, kind, mode: 'CLASSIC_ZIP', actor: who });
      await sendInTransaction(tx, processUploadJob, { tenantId: actor.tenantId, uploadId: id });
      const operation = kind === 'UPLOAD' ? operations.uploadEntitiesAsync : operations.validateUpload;
      await audit.record(tx, actor, operation, {
        target: { kind: 'upload', id },
        parameters: { bytes: archive.length },
      });
    });
  } catch (error) {
    await objects.delete(key);
    throw error;
  }
  return { receiptId: id };
}

async function read({ database }: Deps, actor: Actor, id: string, kind: UploadKind): Promise<StoredUpload> {
  const found = await database.withTenant(actor.tenantId, (tx) => findUpload(tx, id, kind));
  if (found === undefined) throw notFound('upload', id);
  return found;
}

export function createUploadService(deps: Deps): UploadService {
  return {
    async upload(actor, input) {
      const { data, mode } = admit(actor, operations.uploadEntities, input);
      return applyArchive(deps, actor, archiveOf(data, mode), undefined);
    },
    async uploadAsync(actor, input) {
      const { data, mode, dryRun } = admit(actor, operations.uploadEntitiesAsync, input);
      if (dryRun) throw badInput('dryRun', 'dryRun: use validateBulkUpload to check an archive without saving it');
      return takeIn(deps, actor, archiveOf(data, mode), 'UPLOAD');
    },
    async status(actor, input) {
      const { receiptId } = admit(actor, operations.uploadStatus, input);
      const { kind: _kind, actor: _actor, result, ...upload } = await read(deps, actor, receiptId, 'UPLOAD');
      return { ...upload, result: result as UploadResult | null };
    },
    async validate(actor, input) {
      const { data } = admit(actor, operations.validateUpload, input);
      return takeIn(deps, actor, archiveOf(data, 'CLASSIC_ZIP'), 'VALIDATION');
    },
    async validationStatus(actor, input) {
      const { receiptId } = admit(actor, operations.validateUploadStatus, input);
      const { status, error, result } = await read(deps, actor, receiptId, 'VALIDATION');
      return { status, error, result: result as ValidationStatus['result'] };
    },
    featureFlags(actor, input) {
      const { flags } = admit(actor, operations.featureFlags, input);
      return flags.map(({ flag, defaultTreatment }) => ({
        flag,
        treatment: features.has(flag) || defaultTreatment === true,
      }));
    },
  };
}
