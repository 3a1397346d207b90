import type { Clock } from '#platform/clock';
import { DomainError } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { Log } from '#platform/log';
import { type ObjectStore, tenantKey } from '#platform/objects';
import type { Database } from '#platform/postgres';
import type { BatchPart } from './batch.ts';
import { backlogByTenant, claimKey, insertBatch } from './batch-store.ts';
import { createGroups } from './group-commit.ts';

type IntakeRequest = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly body: Buffer;
  readonly contentEncoding?: string;
  readonly traceId: string;
  /** A sender's own name for this request: a repetition within 14 days is acknowledged without being stored again. */
  readonly idempotencyKey?: string;
};

export type Acknowledgement = { readonly batchId: string; readonly traceId: string; readonly isRepetition: boolean };

/** Takes raw bodies in. When `accept` returns, the bytes and the batch row are on disk. */
export type Intake = {
  accept(request: IntakeRequest): Promise<Acknowledgement>;
  /** Writes what is still being grouped and stops. */
  close(): Promise<void>;
};

export type IntakeLimits = {
  /** Requests of one source that arrive within this time share one object (group commit). */
  readonly groupWindowMs: number;
  readonly groupBytesMax: number;
  /** Bodies held in memory by this process, not yet durable; beyond it senders are told to wait. */
  readonly heldBytesMax: number;
  /** The same of one tenant. */
  readonly heldBytesPerTenantMax: number;
  /** What one tenant may have waiting to be processed. */
  readonly backlogBytesMax: number;
  readonly backlogSecondsMax: number;
  /** What all tenants together may have waiting. */
  readonly backlogBytesTotalMax: number;
};

type Deps = {
  readonly database: Database;
  readonly objects: Pick<ObjectStore, 'put' | 'delete'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly limits: IntakeLimits;
};

type Waiting = {
  readonly request: IntakeRequest;
  readonly receivedAt: Date;
  readonly resolve: (acknowledgement: Acknowledgement) => void;
  readonly reject: (error: unknown) => void;
};

export const defaultIntakeLimits: IntakeLimits = {
  groupWindowMs: 25,
  groupBytesMax: 4 * 1024 * 1024,
  heldBytesMax: 256 * 1024 * 1024,
  heldBytesPerTenantMax: 128 * 1024 * 1024,
  backlogBytesMax: 8 * 1024 * 1024 * 1024,
  backlogSecondsMax: 24 * 60 * 60,
  backlogBytesTotalMax: 64 * 1024 * 1024 * 1024,
};

function partsOf(waiting: readonly Waiting[]): BatchPart[] {
  let offset = 0;
  return waiting.map(({ request, receivedAt }) => {
    const part: BatchPart = {
      offset,
      length: request.body.length,
      ...(request.contentEncoding === undefined ? {} : { contentEncoding: request.contentEncoding }),
      receivedAt: receivedAt.toISOString(),
      traceId: request.traceId,
    };
    offset += request.body.length;
    return part;
  });
}

/** Stores one batch: object first, then the row. A crash in between leaves an object that no row names; nobody was told it is safe. */
async function store(deps: Deps, waiting: readonly Waiting[]): Promise<Acknowledgement> {
  const first = waiting[0];
  if (first === undefined) throw new Error('A batch has at least one request.');
  const { tenantId, sourceId, traceId, idempotencyKey } = first.request;
  const id = deps.ids.uuid();
  const body = waiting.length === 1 ? first.request.body : Buffer.concat(waiting.map(({ request }) => request.body));
  const objectKey = tenantKey(tenantId, 'raw', first.receivedAt.toISOString().slice(0, 10), id);
  await deps.objects.put(objectKey, body);
  const holder = await deps.database.withTenant(tenantId, async (tx) => {
    const holderId = idempotencyKey === undefined ? id : await claimKey(tx, sourceId, idempotencyKey, id);
    if (holderId !== id) return holderId;
    const { receivedAt } = first;
    await insertBatch(tx, {
      id,
      sourceId,
      lane: 'live',
      receivedAt,
      objectKey,
      parts: partsOf(waiting),
      bytes: body.length,
      traceId,
      replayOf: null,
    });
    await tx.execute('UPDATE log_sources SET last_received_at = $3 WHERE tenant_id = $1 AND id = $2', [
      tenantId,
      sourceId,
      receivedAt,
    ]);
    return id;
  });
  if (holder !== id) await deps.objects.delete(objectKey);
  return { batchId: holder, traceId, isRepetition: holder !== id };
}

const tooMuchWaits = () =>
  new DomainError('rate_limited', {
    publicMessage:
      'Too much of this organization is waiting to be processed. Send again later; nothing of this request was stored.',
    retryable: true,
    retryAfterSeconds: 30,
  });

const allTooMuch = () =>
  new DomainError('unavailable', {
    publicMessage:
      'Too much is waiting to be processed in this deployment. Send again later; nothing of this request was stored.',
    retryable: true,
    retryAfterSeconds: 30,
  });

/** The backlog, read once a second at most: back-pressure may be a second late, never wrong for long. */
function createBacklogGuard(deps: Deps) {
  // Without an answer nobody is refused here: the write that follows meets the same database and says so.
  const read = () =>
    deps.database.withSystem('back-pressure reads every backlog', backlogByTenant).catch((error: unknown) => {
      deps.log.warn('backlog_not_read', { error });
      return new Map<string, { readonly bytes: number; readonly ageSeconds: number }>();
    });
  let readAtMs = -Infinity;
  let reading: ReturnType<typeof read> | undefined;
  return async (tenantId: string): Promise<void> => {
    const nowMs = deps.clock.now().getTime();
    if (reading === undefined || nowMs - readAtMs > 1000) {
      readAtMs = nowMs;
      reading = read();
    }
    const backlog = await reading;
    const { backlogBytesMax, backlogSecondsMax, backlogBytesTotalMax } = deps.limits;
    const mine = backlog.get(tenantId);
    if (mine !== undefined && (mine.bytes > backlogBytesMax || mine.ageSeconds > backlogSecondsMax))
      throw tooMuchWaits();
    if (backlog.values().reduce((sum, { bytes }) => sum + bytes, 0) > backlogBytesTotalMax) throw allTooMuch();
  };
}

/** Acknowledges every request of a batch, or refuses all of them. */
async function writeBatch(deps: Deps, waiting: readonly Waiting[]): Promise<void> {
  try {
    const acknowledgement = await store(deps, waiting);
    for (const item of waiting) item.resolve(acknowledgement);
  } catch (error) {
    deps.log.error('intake_not_stored', { error, requests: waiting.length });
    const refusal = new DomainError('unavailable', {
      publicMessage: 'The logs could not be stored. Nothing of this request was kept; send it again.',
      retryable: true,
      retryAfterSeconds: 5,
      cause: error,
    });
    for (const item of waiting) item.reject(refusal);
  }
}

const busy = () =>
  new DomainError('unavailable', {
    publicMessage: 'The server is taking in as much as it can. Send again in a few seconds.',
    retryable: true,
    retryAfterSeconds: 2,
  });

const tenantBusy = () =>
  new DomainError('rate_limited', {
    publicMessage: 'This organization sends faster than its logs can be stored. Send again in a few seconds.',
    retryable: true,
    retryAfterSeconds: 2,
  });

/** Bytes in memory, of all and by tenant. */
function createHeldBytes({ heldBytesMax, heldBytesPerTenantMax }: IntakeLimits) {
  let all = 0;
  const byTenant = new Map<string, number>();
  const add = (tenantId: string, bytes: number): void => {
    all += bytes;
    const mine = (byTenant.get(tenantId) ?? 0) + bytes;
    if (mine > 0) byTenant.set(tenantId, mine);
    else byTenant.delete(tenantId);
  };
  return {
    /** Throws when the bytes would be too many. */
    hold(tenantId: string, bytes: number): void {
      if (all + bytes > heldBytesMax) throw busy();
      if ((byTenant.get(tenantId) ?? 0) + bytes > heldBytesPerTenantMax) throw tenantBusy();
      add(tenantId, bytes);
    },
    release: ({ tenantId, body }: IntakeRequest): void => add(tenantId, -body.length),
  };
}

/** Group commit in front of the object store and Postgres. One per process. */
export function createIntake(deps: Deps): Intake {
  const checkBacklog = createBacklogGuard(deps);
  const held = createHeldBytes(deps.limits);
  const groups = createGroups<Waiting>({
    windowMs: deps.limits.groupWindowMs,
    bytesMax: deps.limits.groupBytesMax,
    write: (waiting) =>
      writeBatch(deps, waiting).finally(() => {
        for (const { request } of waiting) held.release(request);
      }),
  });
  return {
    async accept(request) {
      await checkBacklog(request.tenantId);
      if (groups.isClosed()) throw busy();
      held.hold(request.tenantId, request.body.length);
      const receivedAt = deps.clock.now();
      return new Promise<Acknowledgement>((resolve, reject) => {
        const item = { request, receivedAt, resolve, reject };
        // An idempotency key belongs to exactly one batch, so such a request is never grouped.
        if (request.idempotencyKey !== undefined) groups.writeAlone(item);
        else groups.join(`${request.tenantId}/${request.sourceId}`, item, request.body.length);
      });
    },
    close: () => groups.close(),
  };
}
