import type { HttpSource, LogSchema } from '#ingestion';
import type { RootResolver } from '../context.ts';
import { page } from '../page.ts';

const sources: RootResolver<{ input?: unknown }> = async (_root, { input }, { actor, services }) =>
  page(await services.sources.list(actor, input ?? {}), null);

const source: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.sources.find(actor, { id });

const createHttpSource: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  logSource: await services.sources.create(actor, input),
});

const updateHttpSource: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  logSource: await services.sources.update(actor, input),
});

const deleteSource: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.sources.delete(actor, input);

const schemas: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) =>
  page(await services.schemas.list(actor, input), null);

const createOrUpdateSchema: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  schema: await services.schemas.save(actor, input),
});

const classificationFailures: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.sources.listFailures(actor, input);

const batch: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) => services.batches.get(actor, { id });

const replayBatch: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.batches.replay(actor, input);

export const sourceResolvers = {
  Query: { sources, source, schemas, classificationFailures, batch },
  Mutation: { createHttpSource, updateHttpSource, deleteSource, createOrUpdateSchema, replayBatch },
  LogIntegration: { __resolveType: () => 'HttpLogIntegration' },
  HttpLogIntegration: {
    integrationId: ({ id }: HttpSource) => id,
    integrationLabel: ({ label }: HttpSource) => label,
    integrationType: () => 'http',
    logStreamType: ({ streamType }: HttpSource) => streamType,
    authMethod: ({ auth }: HttpSource) => auth.method,
    lastEventReceivedAt: ({ lastReceivedAt }: HttpSource) => lastReceivedAt,
  },
  Schema: {
    referenceURL: ({ referenceUrl }: LogSchema) => referenceUrl,
    createdAt: ({ createdAt }: LogSchema) => createdAt.toISOString(),
    updatedAt: ({ updatedAt }: LogSchema) => updatedAt.toISOString(),
  },
};
