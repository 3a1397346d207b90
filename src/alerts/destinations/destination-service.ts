import { z } from 'zod';
import { type Actor, admit, defineMutation, defineQuery } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import {
  deleteDestinationRow,
  type Destination,
  findDestination,
  insertDestination,
  listRoutes,
} from './destination-store.ts';

const severities = z
  .array(z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']))
  .min(1, 'needs one severity or more')
  .max(5);

const destinations = defineQuery({
  name: 'destinations',
  summary: 'Where alerts are sent.',
  permission: 'DestinationRead',
  input: z.strictObject({}),
});

const createWebhookDestination = defineMutation({
  name: 'createWebhookDestination',
  summary: 'Adds a URL that receives each alert as a signed POST.',
  permission: 'DestinationModify',
  audit: 'CREATE_ALERT_DESTINATION',
  input: z.strictObject({
    name: z.string().trim().min(1, 'is empty').max(200),
    url: z
      .string()
      .max(2000)
      .refine(
        (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
        'must be an http or https address',
      ),
    secret: z.string().min(16, 'must have 16 characters or more').max(500).nullish(),
    severities,
    logTypes: z.array(z.string().max(255)).max(500).nullish(),
  }),
});

const deleteDestination = defineMutation({
  name: 'deleteDestination',
  summary: 'Stops sending alerts to a destination and forgets it.',
  permission: 'DestinationModify',
  audit: 'DELETE_ALERT_DESTINATION',
  input: z.strictObject({ id: z.uuid('is not the id of a destination') }),
});

export const destinationOperations = [destinations, createWebhookDestination, deleteDestination];

/** What is encrypted beside a webhook. */
export type WebhookConfiguration = { readonly url: string; readonly secret?: string };

export const destinationPurpose = (id: string): string => `destination ${id}`;

export type DestinationService = {
  list(actor: Actor, input: unknown): Promise<readonly Destination[]>;
  createWebhook(actor: Actor, input: unknown): Promise<Destination>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly secrets: Secrets;
  readonly ids: Ids;
};

export function createDestinationService({ database, audit, secrets, ids }: Deps): DestinationService {
  return {
    async list(actor, input) {
      admit(actor, destinations, input);
      return database.withTenant(actor.tenantId, listRoutes);
    },
    async createWebhook(actor, input) {
      const { name, url, secret, severities: wanted, logTypes } = admit(actor, createWebhookDestination, input);
      const id = ids.uuid();
      const configuration: WebhookConfiguration = { url, ...(secret ? { secret } : {}) };
      try {
        return await database.withTenant(actor.tenantId, async (tx) => {
          const sealed = await secrets.encrypt(tx, destinationPurpose(id), JSON.stringify(configuration));
          await insertDestination(
            tx,
            { id, kind: 'WEBHOOK', name, severities: wanted, logTypes: logTypes ?? [] },
            sealed,
          );
          await audit.record(tx, actor, createWebhookDestination, {
            target: { kind: 'destination', id },
            parameters: { name, severities: wanted },
          });
          const stored = await findDestination(tx, id);
          if (stored === undefined) throw new Error('The destination was not stored.');
          return stored.destination;
        });
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new DomainError('conflict', {
          field: 'name',
          publicMessage: `There is a destination named "${name}" already.`,
        });
      }
    },
    async delete(actor, input) {
      const { id } = admit(actor, deleteDestination, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteDestinationRow(tx, id))) throw notFound('destination', id);
        await audit.record(tx, actor, deleteDestination, { target: { kind: 'destination', id } });
      });
      return { id };
    },
  };
}
