import { type Actor, admit, type RequestOrigin, systemActor } from '#access';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Clock } from '#platform/clock';
import type { ObjectStore } from '#platform/objects';
import type { Secrets } from '#platform/secrets';
import { takeIn, type TakeInDeps, uploaderOf } from './take-in.ts';
import { alreadyUsed, openAddress, signAddress, type UploadAddress, type UploadGrant } from './upload-address.ts';
import * as operations from './upload-operations.ts';
import { failureText, type UploadResult } from './upload-result.ts';
import { findUpload, finishUpload, insertUpload, type StoredUpload, uploadKey } from './upload-store.ts';
import { zipLimits } from './zip.ts';

type JobStatus = {
  readonly status: 'Running' | 'Succeeded' | 'Failed';
  readonly message: string | null;
  readonly results: Readonly<
    Record<'newRuleIds' | 'modifiedRuleIds' | 'deletedRuleIds' | 'totalRuleIds', readonly string[]>
  > | null;
};

/** Uploads in steps: ask for an address, put the archive there, start the work, ask how far it is. */
export type UploadSessionService = {
  address(actor: Actor, input: unknown): Promise<{ readonly detectionsURL: string; readonly sessionId: string }>;
  /** Checks an address before anything is read. Throws `unauthenticated`, `forbidden` or `conflict`. */
  open(address: UploadAddress): Promise<UploadGrant>;
  /** Keeps what was put there, once. `body` throws DomainError when there is more than was granted. */
  put(grant: UploadGrant, origin: RequestOrigin, body: () => Promise<Buffer>): Promise<void>;
  start(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  status(actor: Actor, input: unknown): Promise<JobStatus>;
};

type Deps = TakeInDeps & {
  readonly objects: Pick<ObjectStore, 'put' | 'putNew' | 'get' | 'delete'>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Where clients reach this deployment, without a slash at the end. */
  readonly publicUrl: string;
};

/** An archive that was put at an address can be worked on for so long. */
const sessionMinutes = 60;

/** A zip, or the base64 text of one. */
function archiveOf(body: Buffer): Buffer {
  const isZip = body.subarray(0, 2).toString('latin1') === 'PK';
  const text = isZip ? '' : body.toString('latin1').trim();
  if (!isZip && (text === '' || !/^[A-Za-z0-9+/\s]+={0,2}$/.test(text)))
    throw badInput('body', 'body: is neither a zip archive nor base64 of one');
  const archive = isZip ? body : Buffer.from(text, 'base64');
  if (archive.length > zipLimits.archiveBytes)
    throw new DomainError('too_large', { publicMessage: `The archive has more than ${zipLimits.archiveBytes} bytes.` });
  return archive;
}

async function address({ database, audit, secrets, ids, clock, publicUrl }: Deps, actor: Actor) {
  const sessionId = ids.uuid();
  const place = await database.withTenant(actor.tenantId, async (tx) => {
    await insertUpload(tx, { id: sessionId, kind: 'SESSION', mode: 'V2_ZIP', actor: uploaderOf(actor) });
    await audit.recordAction(tx, actor, 'CREATE_UPLOAD_ADDRESS', { target: { kind: 'upload', id: sessionId } });
    return signAddress(tx, secrets, { sessionId, actor, now: clock.now() });
  });
  return { detectionsURL: `${publicUrl}${place}`, sessionId };
}

async function put({ database, audit, objects }: Deps, grant: UploadGrant, origin: RequestOrigin, archive: Buffer) {
  const { tenantId, sessionId } = grant;
  const actor = { ...systemActor(tenantId, `upload by ${grant.actor.name}`, origin.traceId), origin };
  if (!(await objects.putNew(uploadKey(tenantId, sessionId), archive))) throw alreadyUsed();
  await database.withTenant(tenantId, async (tx) => {
    if (!(await finishUpload(tx, sessionId, { result: { bytes: archive.length } }))) throw alreadyUsed();
    await audit.recordAction(tx, actor, 'PUT_UPLOAD_ARCHIVE', {
      target: { kind: 'upload', id: sessionId },
      parameters: { bytes: archive.length },
    });
  });
}

/** Clients do not read the answer to their PUT: the session keeps why nothing lies there. */
async function refusePut({ database, audit }: Deps, grant: UploadGrant, origin: RequestOrigin, error: DomainError) {
  const { tenantId, sessionId } = grant;
  const actor = { ...systemActor(tenantId, `upload by ${grant.actor.name}`, origin.traceId), origin };
  const reason = error.publicMessage;
  await database.withTenant(tenantId, async (tx) => {
    if (error.code !== 'conflict') await finishUpload(tx, sessionId, { error: reason });
    await audit.recordAction(tx, actor, 'PUT_UPLOAD_ARCHIVE', {
      target: { kind: 'upload', id: sessionId },
      result: 'FAILED',
      error: reason,
    });
  });
}

/** The archive of a session of this very caller. */
async function archiveIn({ database, objects, clock }: Deps, actor: Actor, sessionId: string): Promise<Buffer> {
  const session = await database.withTenant(actor.tenantId, (tx) => findUpload(tx, sessionId, ['SESSION']));
  if (session === undefined || session.actor.id !== actor.id) throw notFound('upload session', sessionId);
  if (session.error !== null)
    throw badInput('sessionId', `sessionId: nothing was put at its address: ${session.error}`);
  if (session.status === 'NOT_PROCESSED') throw badInput('sessionId', 'sessionId: nothing was put at its address yet');
  if (clock.now().getTime() - session.updatedAt.getTime() > sessionMinutes * 60_000)
    throw badInput('sessionId', `sessionId: is older than ${sessionMinutes} minutes: upload again`);
  return objects.get(uploadKey(actor.tenantId, sessionId));
}

function jobStatus({ status, error, result }: StoredUpload): JobStatus {
  if (status === 'NOT_PROCESSED') return { status: 'Running', message: null, results: null };
  if (status === 'FAILED')
    return { status: 'Failed', message: JSON.stringify({ errorMessage: failureText(error ?? '') }), results: null };
  const { rules, correlationRules } = result as UploadResult;
  const both = (name: 'newIds' | 'modifiedIds' | 'deletedIds' | 'totalIds') => [
    ...rules[name],
    ...correlationRules[name],
  ];
  return {
    status: 'Succeeded',
    message: null,
    results: {
      newRuleIds: both('newIds'),
      modifiedRuleIds: both('modifiedIds'),
      deletedRuleIds: both('deletedIds'),
      totalRuleIds: both('totalIds'),
    },
  };
}

export function createUploadSessionService(deps: Deps): UploadSessionService {
  const { database, secrets, clock } = deps;
  return {
    async address(actor, input) {
      admit(actor, operations.uploadAddress, input);
      return address(deps, actor);
    },
    open: (place) => database.withTenant(place.tenantId, (tx) => openAddress(tx, secrets, place, clock.now())),
    async put(grant, origin, body) {
      try {
        await put(deps, grant, origin, archiveOf(await body()));
      } catch (error) {
        if (error instanceof DomainError) await refusePut(deps, grant, origin, error);
        throw error;
      }
    },
    async start(actor, input) {
      const { sessionId, dryRun } = admit(actor, operations.startUpload, input);
      const bytes = await archiveIn(deps, actor, sessionId);
      const kind = dryRun === true ? 'DRY_RUN' : 'UPLOAD';
      const id = await takeIn(deps, actor, { kind, mode: 'V2_ZIP', bytes, operation: operations.startUpload });
      return { id };
    },
    async status(actor, input) {
      const { jobId } = admit(actor, operations.startedUploadStatus, input);
      const kinds = ['UPLOAD', 'DRY_RUN'] as const;
      const found = await database.withTenant(actor.tenantId, (tx) => findUpload(tx, jobId, kinds));
      if (found === undefined) throw notFound('upload', jobId);
      return jobStatus(found);
    },
  };
}
