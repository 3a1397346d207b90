import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { DomainError, notFound } from '#platform/errors';
import type { AddressGuard } from '#platform/http-client';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation, type TenantTx } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import type { SystemErrorRecorder } from '#system-errors';
import { type Destination, destinationPurpose, parseConfiguration, type WebhookConfiguration } from './destination.ts';
import {
  createWebhookDestination,
  deleteDestination,
  destination,
  destinations,
  sendTestAlert,
  updateWebhookDestination,
  type WebhookSettingsInput,
} from './destination-operations.ts';
import {
  type DestinationSettings,
  findDestination,
  insertDestination,
  listDestinations,
  markDestinationDeleted,
  updateDestination,
} from './destination-store.ts';
import { checkedUrl, endpointOf, mergeHeaders, updatedConfiguration } from './webhook/webhook-configuration.ts';
import { testWebhookBody } from './webhook/webhook-payload.ts';
import type { WebhookSender } from './webhook/webhook-sender.ts';

/** What a destination answered to a test. */
export type TestResult = {
  readonly destinationId: string;
  readonly success: boolean;
  readonly statusCode: number;
  readonly message: string;
  readonly dispatchedAt: Date;
};

/** Destinations of the actor's tenant. Secrets go in and never come out. */
export type DestinationService = {
  list(actor: Actor, input: unknown): Promise<readonly Destination[]>;
  get(actor: Actor, input: unknown): Promise<Destination>;
  createWebhook(actor: Actor, input: unknown): Promise<Destination>;
  updateWebhook(actor: Actor, input: unknown): Promise<Destination>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  /** One attempt, outside of any alert; what the receiver says is an answer and not an error. */
  sendTest(actor: Actor, input: unknown): Promise<TestResult>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly secrets: Secrets;
  readonly systemErrors: Pick<SystemErrorRecorder, 'resolve'>;
  readonly webhooks: WebhookSender;
  readonly guard: AddressGuard;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly consoleUrl: string;
};

const destinationsMax = 500;

const settingsOf = (
  input: WebhookSettingsInput,
  configuration: WebhookConfiguration,
  wasEnabled: boolean,
): DestinationSettings => ({
  name: input.name,
  severities: [...new Set(input.severities)],
  alertTypes: [...new Set(input.alertTypes ?? [])],
  logTypes: [...new Set(input.logTypes ?? [])],
  isEnabled: input.isEnabled ?? wasEnabled,
  endpoint: endpointOf(configuration.url),
  headerNames: Object.keys(configuration.headers),
  hasSecret: configuration.secret !== null,
});

/** What the audit log may hold of the settings. */
const auditOf = ({ name, severities, alertTypes, logTypes, endpoint }: DestinationSettings) => ({
  name,
  severities,
  alertTypes,
  logTypes,
  endpoint,
});

const sealed = (secrets: Secrets, tx: TenantTx, id: string, configuration: WebhookConfiguration): Promise<Buffer> =>
  secrets.encrypt(tx, destinationPurpose(id), JSON.stringify(configuration));

async function load({ secrets }: Deps, tx: TenantTx, id: string) {
  const found = await findDestination(tx, id);
  if (found === undefined) throw notFound('destination', id);
  const text = await secrets.decrypt(tx, destinationPurpose(id), found.sealed);
  return { ...found, configuration: parseConfiguration(text) };
}

async function get(tx: TenantTx, id: string): Promise<Destination> {
  const found = await findDestination(tx, id);
  if (found === undefined) throw notFound('destination', id);
  return found.destination;
}

async function savingName<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error, 'destinations_by_name')) throw error;
    throw new DomainError('conflict', {
      field: 'name',
      publicMessage: `There is a destination named "${name}" already.`,
    });
  }
}

async function createWebhook(deps: Deps, actor: Actor, input: unknown): Promise<Destination> {
  const { database, audit, secrets, clock, ids, guard } = deps;
  const wanted = admit(actor, createWebhookDestination, input);
  const configuration: WebhookConfiguration = {
    url: checkedUrl(wanted.url, guard),
    headers: mergeHeaders(wanted.headers ?? [], {}),
    secret: wanted.secret ?? null,
  };
  const id = ids.uuid();
  const settings = settingsOf(wanted, configuration, true);
  const work = database.withTenant(actor.tenantId, async (tx) => {
    if ((await listDestinations(tx)).length >= destinationsMax)
      throw new DomainError('conflict', {
        publicMessage: `There are ${destinationsMax} destinations, which is the most. Delete one that is not used.`,
      });
    await insertDestination(tx, id, settings, {
      sealed: await sealed(secrets, tx, id, configuration),
      byName: actor.name,
      at: clock.now(),
    });
    await audit.record(tx, actor, createWebhookDestination, {
      target: { kind: 'destination', id },
      parameters: auditOf(settings),
    });
    return get(tx, id);
  });
  return savingName(wanted.name, work);
}

async function updateWebhook(deps: Deps, actor: Actor, input: unknown): Promise<Destination> {
  const { database, audit, secrets, clock, guard } = deps;
  const wanted = admit(actor, updateWebhookDestination, input);
  const { id } = wanted;
  const work = database.withTenant(actor.tenantId, async (tx) => {
    const before = await load(deps, tx, id);
    const configuration = updatedConfiguration(before.configuration, wanted, guard);
    const settings = settingsOf(wanted, configuration, before.destination.isEnabled);
    await updateDestination(tx, id, settings, {
      sealed: await sealed(secrets, tx, id, configuration),
      at: clock.now(),
    });
    await audit.record(tx, actor, updateWebhookDestination, {
      target: { kind: 'destination', id },
      parameters: auditOf(settings),
    });
    return get(tx, id);
  });
  return savingName(wanted.name, work);
}

async function sendTest(deps: Deps, actor: Actor, input: unknown): Promise<TestResult> {
  const { database, audit, systemErrors, webhooks, clock, ids, consoleUrl } = deps;
  const { id } = admit(actor, sendTestAlert, input);
  const { configuration } = await database.withTenant(actor.tenantId, async (tx) => {
    const loaded = await load(deps, tx, id);
    await audit.record(tx, actor, sendTestAlert, { target: { kind: 'destination', id } });
    return loaded;
  });
  const dispatchedAt = clock.now();
  const { success, statusCode, message } = await webhooks.send(configuration, {
    body: testWebhookBody({ consoleUrl, now: dispatchedAt }),
    idempotencyKey: ids.uuid(),
    traceId: actor.origin.traceId,
  });
  if (success) await database.withTenant(actor.tenantId, (tx) => systemErrors.resolve(tx, 'ALERT_DELIVERY', id));
  return { destinationId: id, success, statusCode, message, dispatchedAt };
}

export function createDestinationService(deps: Deps): DestinationService {
  const { database, audit, systemErrors, clock } = deps;
  return {
    async list(actor, input) {
      admit(actor, destinations, input);
      return database.withTenant(actor.tenantId, listDestinations);
    },
    async get(actor, input) {
      const { id } = admit(actor, destination, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, id));
    },
    createWebhook: (actor, input) => createWebhook(deps, actor, input),
    updateWebhook: (actor, input) => updateWebhook(deps, actor, input),
    async delete(actor, input) {
      const { id } = admit(actor, deleteDestination, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await markDestinationDeleted(tx, id, clock.now()))) throw notFound('destination', id);
        await systemErrors.resolve(tx, 'ALERT_DELIVERY', id);
        await audit.record(tx, actor, deleteDestination, { target: { kind: 'destination', id } });
      });
      return { id };
    },
    sendTest: (actor, input) => sendTest(deps, actor, input),
  };
}
