import { type Actor, admit, requirePermission } from '#access';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { SandboxPool } from '../sandbox/sandbox-contract.ts';
import { applyArchive } from './apply-upload.ts';
import { takeIn, type TakeInDeps } from './take-in.ts';
import * as operations from './upload-operations.ts';
import type { UploadIssue } from './upload-content.ts';
import type { UploadResult } from './upload-result.ts';
import { findUpload, type StoredUpload, type UploadKind } from './upload-store.ts';
import { zipLimits } from './zip.ts';

type UploadStatus = Omit<StoredUpload, 'result' | 'actor' | 'kind'> & { readonly result: UploadResult | null };
type ValidationStatus = Pick<StoredUpload, 'status' | 'error'> & {
  readonly result: { readonly issues: readonly UploadIssue[] } | null;
};

export type UploadService = {
  upload(actor: Actor, input: unknown): Promise<UploadResult>;
  uploadAsync(actor: Actor, input: unknown): Promise<{ readonly receiptId: string }>;
  /** The same for bytes that came as a file. */
  uploadArchive(
    actor: Actor,
    archive: Buffer,
    options: { readonly isDryRun: boolean },
  ): Promise<{ readonly receiptId: string }>;
  status(actor: Actor, input: unknown): Promise<UploadStatus>;
  validate(actor: Actor, input: unknown): Promise<{ readonly receiptId: string }>;
  validationStatus(actor: Actor, input: unknown): Promise<ValidationStatus>;
  featureFlags(actor: Actor, input: unknown): readonly { readonly flag: string; readonly treatment: boolean }[];
};

type Deps = TakeInDeps & { readonly sandbox: Pick<SandboxPool, 'check'> };
type TakenIn = [actor: Actor, archive: Parameters<typeof takeIn>[2]];

/** What this deployment has, by the names that clients ask for. */
const features = new Set(['EnableCorrelationRules']);

async function read({ database }: Deps, actor: Actor, id: string, kinds: readonly UploadKind[]): Promise<StoredUpload> {
  const found = await database.withTenant(actor.tenantId, (tx) => findUpload(tx, id, kinds));
  if (found === undefined) throw notFound('upload', id);
  return found;
}

/** An archive that came as a file, as `uploadAsync` would take it in. */
function checkedFile(actor: Actor, bytes: Buffer, { isDryRun }: { readonly isDryRun: boolean }): TakenIn[1] {
  const operation = operations.uploadEntitiesAsync;
  requirePermission(actor, operation);
  if (bytes.length > zipLimits.archiveBytes)
    throw new DomainError('too_large', {
      publicMessage: `file: has more than ${zipLimits.archiveBytes} bytes`,
      field: 'file',
    });
  return isDryRun
    ? { kind: 'DRY_RUN', mode: 'V2_ZIP', bytes, operation }
    : { kind: 'UPLOAD', mode: 'CLASSIC_ZIP', bytes, operation };
}

export function createUploadService(deps: Deps): UploadService {
  const receipt = async (...args: TakenIn) => ({ receiptId: await takeIn(deps, ...args) });
  return {
    async upload(actor, input) {
      const { data } = admit(actor, operations.uploadEntities, input);
      return applyArchive(deps, actor, Buffer.from(data, 'base64'), undefined);
    },
    async uploadAsync(actor, input) {
      const { data, mode, dryRun } = admit(actor, operations.uploadEntitiesAsync, input);
      if (dryRun && mode === 'CLASSIC_ZIP')
        throw badInput('dryRun', 'dryRun: is for V2_ZIP; use validateBulkUpload to check an archive without saving it');
      const kind = dryRun ? 'DRY_RUN' : 'UPLOAD';
      return receipt(actor, {
        kind,
        mode,
        bytes: Buffer.from(data, 'base64'),
        operation: operations.uploadEntitiesAsync,
      });
    },
    uploadArchive: async (actor, archive, options) => receipt(actor, checkedFile(actor, archive, options)),
    async status(actor, input) {
      const { receiptId } = admit(actor, operations.uploadStatus, input);
      const {
        kind: _kind,
        actor: _actor,
        result,
        ...upload
      } = await read(deps, actor, receiptId, ['UPLOAD', 'DRY_RUN']);
      return { ...upload, result: result as UploadResult | null };
    },
    async validate(actor, input) {
      const { data } = admit(actor, operations.validateUpload, input);
      return receipt(actor, {
        kind: 'VALIDATION',
        mode: 'CLASSIC_ZIP',
        bytes: Buffer.from(data, 'base64'),
        operation: operations.validateUpload,
      });
    },
    async validationStatus(actor, input) {
      const { receiptId } = admit(actor, operations.validateUploadStatus, input);
      const { status, error, result } = await read(deps, actor, receiptId, ['VALIDATION']);
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
