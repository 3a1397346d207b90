import { saveSchema } from '../../src/ingestion/schemas/schema-store.ts';
import { findSchema } from '#ingestion';
import { findSource, updateSource } from '../../src/ingestion/sources/source-store.ts';
import { errorText } from '#platform/errors';
import type { TenantTx } from '#platform/postgres';
import type { SimProcess } from './kernel.ts';
import {
  logType,
  newEvent,
  otherLogType,
  ruleIds,
  ruleVariant,
  schemaSpec,
  seedRule,
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
  const count = 4 + Math.floor(kernel.random() * 8);
  for (let index = 0; index < count; index++) {
    const tenant = kernel.pick(world.tenants);
    const events = Array.from({ length: 1 + Math.floor(kernel.random() * 3) }, (_, place) =>
      newEvent(kernel, `e${index}.${place}`),
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
    const startsIn = kernel.chance(0.3) ? 100 : kernel.between(50, 25_000);
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

async function changeRule({ kernel, tables }: World, _tx: TenantTx, { id }: SimTenant): Promise<void> {
  seedRule(tables, id, ruleVariant(kernel, kernel.pick(ruleIds)), new Date(kernel.nowMs));
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

/** People who change rules, schemas and sources while work is under way. */
export function startChanges(world: World): void {
  const { kernel } = world;
  const person = kernel.newProcess('person');
  const { database } = world.givenTo(person);
  const changes = [changeSchema, changeRule, changeRule, changeSource];
  const loop = async (): Promise<void> => {
    while (world.faults.isOn) {
      await kernel.wait(kernel.between(500, 8000), person);
      const tenant = kernel.pick(world.tenants);
      const change = kernel.pick(changes);
      await database.withTenant(tenant.id, (tx) => change(world, tx, tenant)).catch(() => undefined);
    }
  };
  void loop();
}
