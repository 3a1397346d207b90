import { saveDetections } from '../../src/detections/detection-store.ts';
import { saveSchema } from '../../src/ingestion/schemas/schema-store.ts';
import { systemActor } from '#access';
import type { AuditRecorder } from '#audit';
import { type BatchService, createBatchService, findSchema } from '#ingestion';
import { findSource, updateSource } from '../../src/ingestion/sources/source-store.ts';
import { errorText } from '#platform/errors';
import type { TenantTx } from '#platform/postgres';
import type { SimProcess } from './kernel.ts';
import {
  logType,
  newEvent,
  otherLogType,
  ruleIds,
  ruleItem,
  ruleVariant,
  schemaSpec,
  type SimTenant,
} from './scenario.ts';
import type { World } from './world.ts';

/** A request that a sender made and what it was told. */
export type SentRequest = {
  readonly tenantId: string;
  readonly sourceId: string;
  readonly eventIds: readonly string[];
  readonly key: string | undefined;
  isAcknowledged: boolean;
};

const traceId = '0123456789abcdef0123456789abcdef';

/** Asks a process that may die meanwhile: then the answer is an error. */
function ask<T>(world: World, owner: SimProcess, sender: SimProcess, work: () => Promise<T>): Promise<T> {
  const { kernel } = world;
  return new Promise((resolve, reject) => {
    const died = (): void => void kernel.after(1, sender, () => reject(new Error('The connection was lost.')));
    owner.onDeath.add(died);
    const answered = (tell: () => void): void => {
      owner.onDeath.delete(died);
      kernel.after(kernel.between(0, 3), sender, tell);
    };
    const run = async (): Promise<void> => {
      try {
        const value = await work();
        answered(() => resolve(value));
      } catch (error) {
        answered(() => reject(error));
      }
    };
    kernel.after(kernel.between(0, 3), owner, () => void run());
  });
}

/** One attempt. True when the request is acknowledged. */
async function attempt(world: World, sender: SimProcess, request: SentRequest, body: Buffer): Promise<boolean> {
  const { ingest, kernel } = world;
  if (ingest === undefined) return false;
  const { sourceId, key, eventIds } = request;
  const headers = key === undefined ? {} : { 'idempotency-key': key };
  try {
    const work = () => ingest.receiver.receive({ sourceId, headers, body, traceId });
    const { batchId } = await ask(world, ingest.owner, sender, work);
    kernel.note(sender, `is told that ${eventIds.join(', ')} are safe in ${batchId}`);
    return true;
  } catch (error) {
    kernel.note(sender, `is refused: ${errorText(error)}`);
    return false;
  }
}

/** One request; keyed ones are repeated until acknowledged, as a careful sender does. */
async function send(world: World, sender: SimProcess, request: SentRequest, body: Buffer): Promise<void> {
  request.isAcknowledged = await attempt(world, sender, request, body);
  while (request.key !== undefined && !request.isAcknowledged) {
    await world.kernel.wait(world.kernel.between(200, 4000), sender);
    request.isAcknowledged = await attempt(world, sender, request, body);
  }
}

/** Sends everything of a schedule. The promise ends when every sender has its answers. */
export function startSenders(world: World): {
  readonly requests: readonly SentRequest[];
  readonly done: Promise<unknown>;
} {
  const { kernel } = world;
  const requests: SentRequest[] = [];
  const work: Promise<void>[] = [];
  const count = (world.isCrowded ? 8 : 4) + Math.floor(kernel.random() * 8);
  // Many at once, at the beginning and later: transactions that meet there change what others have begun.
  const rushes = [100, kernel.between(2000, 20_000)];
  const inRush = world.isCrowded ? 1 : 0.3;
  for (let index = 0; index < count; index++) {
    const tenant = kernel.pick(world.isCrowded ? world.tenants.slice(0, 1) : world.tenants);
    const events = Array.from({ length: 1 + Math.floor(kernel.random() * 3) }, (_, place) =>
      newEvent(kernel, `e${index}.${place}`, world.isCrowded),
    );
    const sourceId = kernel.pick(tenant.sourceIds);
    const request: SentRequest = {
      tenantId: tenant.id,
      sourceId,
      eventIds: events.map(({ id }) => id),
      // Every sender counts for itself, so that names meet across tenants and sources.
      key: kernel.chance(0.5) ? undefined : `k${requests.filter((other) => other.sourceId === sourceId).length}`,
      isAcknowledged: false,
    };
    requests.push(request);
    const body = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const sender = kernel.newProcess(`sender-${index}`);
    const startsIn = kernel.chance(inRush) ? kernel.pick(rushes) : kernel.between(50, 25_000);
    work.push(kernel.wait(startsIn, sender).then(() => send(world, sender, request, body)));
  }
  return { requests, done: Promise.all(work) };
}

async function changeSchema(world: World, tx: TenantTx): Promise<void> {
  const name = world.kernel.pick([logType, otherLogType]);
  const before = await findSchema(tx, name);
  const variant = Math.floor(world.kernel.random() * 4);
  const write = {
    name,
    spec: schemaSpec(name, variant),
    description: '',
    referenceUrl: '',
    isFieldDiscoveryEnabled: false,
  };
  await saveSchema(tx, write, before?.revision ?? 0);
}

async function changeRule({ kernel }: World, tx: TenantTx): Promise<void> {
  await saveDetections({ tx, changedBy: { kind: 'system', id: 'person', name: 'person' } }, [
    ruleItem(ruleVariant(kernel, kernel.pick(ruleIds))),
  ]);
}

async function changeSource(world: World, tx: TenantTx, tenant: SimTenant): Promise<void> {
  const { kernel } = world;
  const sourceId = kernel.pick(tenant.sourceIds);
  const before = await findSource(tx, sourceId);
  if (before === undefined) return;
  const logTypes = kernel.chance(0.5) ? [logType, otherLogType] : [otherLogType, logType];
  await updateSource(tx, sourceId, {
    ...before,
    label: `label ${Math.floor(kernel.random() * 5)}`,
    logTypes,
    streamType: kernel.pick(['Lines', 'JSON', 'Auto'] as const),
  });
}

/** Asks for what a finished batch could not read to be read again, if there is one. */
async function replayBatch({ kernel, tables }: World, batches: BatchService, tenant: SimTenant): Promise<void> {
  const done = tables.list('batches').filter((row) => {
    const counters = row['counters'] as { readonly classificationFailures: number } | null;
    return row['tenant_id'] === tenant.id && row['state'] === 'DONE' && counters?.classificationFailures !== 0;
  });
  if (done.length === 0) return;
  await batches.replay(systemActor(tenant.id, 'person', traceId), { id: kernel.pick(done)['id'] });
}

/** People who change rules, schemas and sources while work is under way, and replay what fitted none. */
export function startChanges(world: World): void {
  const { kernel } = world;
  const person = kernel.newProcess('person');
  const given = world.givenTo(person);
  const batches = createBatchService({
    ...given,
    audit: { record: async () => undefined } as unknown as AuditRecorder,
  });
  const changes = [changeSchema, changeRule, changeRule, changeSource];
  const loop = async (): Promise<void> => {
    while (world.faults.isOn) {
      await kernel.wait(kernel.between(500, 8000), person);
      const tenant = kernel.pick(world.tenants);
      const change = kernel.pick(changes);
      const work = kernel.chance(0.4)
        ? replayBatch(world, batches, tenant)
        : given.database.withTenant(tenant.id, (tx) => change(world, tx, tenant));
      await work.catch(() => undefined);
    }
  };
  void loop();
}
