import { z } from 'zod';
import { type Actor, admit, defineMutation, defineQuery } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import { type CompiledSchema, compileSchema } from './compiled-schema.ts';
import { managedSchemas } from './managed-schemas.ts';
import {
  findSchema,
  listOwnSchemas,
  listUsedLogTypes,
  measureOwnSchemas,
  saveSchema,
  setSchemaArchived,
  type StoredSchema,
} from './schema-store.ts';

/** A schema as people see it, managed or their own. */
export type LogSchema = StoredSchema & { readonly isManaged: boolean };

const schemas = defineQuery({
  name: 'schemas',
  summary: 'Managed and own schemas.',
  permission: 'LogSourceRead',
  input: z.strictObject({
    contains: z.string().max(255).nullish(),
    cursor: z.string().max(1000).nullish(),
    isArchived: z.boolean().nullish(),
    isInUse: z.boolean().nullish(),
    isManaged: z.boolean().nullish(),
  }),
});

const createOrUpdateSchema = defineMutation({
  name: 'createOrUpdateSchema',
  summary: 'Saves a schema of your own. An update sends the revision it starts from.',
  permission: 'LogSourceModify',
  audit: 'CREATE_OR_UPDATE_SCHEMA',
  input: z.strictObject({
    name: z
      .string()
      .max(255)
      .regex(/^Custom(\.[A-Z][A-Za-z0-9]*)+$/, 'must begin with "Custom." and a capital letter'),
    spec: z.string().max(1_000_000),
    description: z.string().max(10_000).nullish(),
    referenceURL: z.string().max(2000).nullish(),
    revision: z.number().int().min(0).nullish(),
    isFieldDiscoveryEnabled: z.boolean().nullish(),
  }),
});

const updateSchemaStatus = defineMutation({
  name: 'updateSchemaStatus',
  summary: 'Puts a schema of your own away, or takes it back.',
  permission: 'LogSourceModify',
  audit: 'UPDATE_SCHEMA_STATUS',
  input: z.strictObject({ name: z.string().max(255), isArchived: z.boolean() }),
});

export const schemaOperations = [schemas, createOrUpdateSchema, updateSchemaStatus];

export type SchemaService = {
  list(actor: Actor, input: unknown): Promise<readonly LogSchema[]>;
  save(actor: Actor, input: unknown): Promise<LogSchema>;
  /** Puts a schema away, or takes it back. One that a log source uses stays (`conflict`). */
  setStatus(actor: Actor, input: unknown): Promise<LogSchema>;
};

/** Managed schemas came with the product; their time of change is unknown, so the beginning of time stands for it. */
const shipped = new Date(0);

function managed(): readonly LogSchema[] {
  return [...managedSchemas().values()].map((schema) => ({
    name: schema.name,
    spec: schema.specText,
    description: schema.description,
    referenceUrl: schema.referenceUrl,
    revision: 1,
    version: 1,
    isManaged: true,
    isArchived: false,
    isFieldDiscoveryEnabled: false,
    createdAt: shipped,
    updatedAt: shipped,
  }));
}

function compiled(spec: string): CompiledSchema {
  const result = compileSchema(spec);
  if ('schema' in result) return result.schema;
  const text = result.problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  throw badInput('spec', `spec: ${text}`);
}

/** Published fields stay what they are: data is stored in their columns. */
function refuseIncompatible(before: CompiledSchema, after: CompiledSchema): void {
  for (const column of before.columns) {
    const now = after.columns.find((other) => other.name === column.name);
    if (now === undefined)
      throw badInput('spec', `spec: the field "${column.name}" is gone; fields can be added but not removed`);
    if (now.type !== column.type || now.element !== column.element)
      throw badInput('spec', `spec: the type of "${column.name}" changed; add a field with a new name instead`);
  }
}

/** What one tenant may have: lists are read whole, and so is what a source is compared with. */
const ownMax = { count: 2000, bytes: 32 * 1024 * 1024 };

/** Refuses what would make the tenant's schemas too many, or too long together. */
async function refuseTooMany(tx: TenantTx, before: StoredSchema | undefined, spec: string): Promise<void> {
  const { count, bytes } = await measureOwnSchemas(tx);
  if (before === undefined && count >= ownMax.count)
    throw badInput(
      'name',
      `name: there are ${count} schemas of your own, and ${ownMax.count} is the most. Put log types that are alike into one schema.`,
    );
  if (bytes - Buffer.byteLength(before?.spec ?? '') + Buffer.byteLength(spec) > ownMax.bytes)
    throw badInput(
      'spec',
      `spec: your schemas together would have more than ${ownMax.bytes / 1024 / 1024} MiB. Make this or others shorter.`,
    );
}

type Deps = { readonly database: Database; readonly audit: AuditRecorder };

async function setStatus({ database, audit }: Deps, actor: Actor, input: unknown): Promise<LogSchema> {
  const { name, isArchived } = admit(actor, updateSchemaStatus, input);
  return database.withTenant(actor.tenantId, async (tx) => {
    if (isArchived && (await listUsedLogTypes(tx)).has(name))
      throw new DomainError('conflict', {
        field: 'name',
        publicMessage: `A log source uses "${name}". Take it out of the source first.`,
      });
    if (!(await setSchemaArchived(tx, name, isArchived))) throw notFound('schema of your own', name);
    await audit.record(tx, actor, updateSchemaStatus, {
      target: { kind: 'schema', id: name },
      parameters: { isArchived },
    });
    const saved = await findSchema(tx, name);
    if (saved === undefined) throw notFound('schema of your own', name);
    return { ...saved, isManaged: false };
  });
}

async function save({ database, audit }: Deps, actor: Actor, input: unknown): Promise<LogSchema> {
  const { name, spec, description, referenceURL, revision, isFieldDiscoveryEnabled } = admit(
    actor,
    createOrUpdateSchema,
    input,
  );
  const after = compiled(spec);
  if (after.name !== name) throw badInput('spec', `spec: it defines "${after.name}", but the name is "${name}"`);
  return database.withTenant(actor.tenantId, async (tx) => {
    const before = await findSchema(tx, name);
    if (before !== undefined) refuseIncompatible(compiled(before.spec), after);
    await refuseTooMany(tx, before, spec);
    const wanted = {
      name,
      spec,
      description: description ?? before?.description ?? '',
      referenceUrl: referenceURL ?? before?.referenceUrl ?? '',
      isFieldDiscoveryEnabled: isFieldDiscoveryEnabled ?? before?.isFieldDiscoveryEnabled ?? false,
    };
    if (!(await saveSchema(tx, wanted, revision ?? 0)))
      throw new DomainError('conflict', {
        field: 'revision',
        publicMessage: `"${name}" has revision ${before?.revision ?? 0} now, not ${revision ?? 0}. Read it again and repeat your change.`,
      });
    await audit.record(tx, actor, createOrUpdateSchema, {
      target: { kind: 'schema', id: name },
      parameters: { revision: (revision ?? 0) + 1 },
    });
    const saved = await findSchema(tx, name);
    if (saved === undefined) throw new Error('The schema was not stored.');
    return { ...saved, isManaged: false };
  });
}

export function createSchemaService(deps: Deps): SchemaService {
  const { database } = deps;
  return {
    async list(actor, input) {
      const { contains, isArchived, isInUse, isManaged } = admit(actor, schemas, input);
      const [own, used] = await database.withTenant(actor.tenantId, async (tx) => [
        await listOwnSchemas(tx),
        await listUsedLogTypes(tx),
      ]);
      const all = [...managed(), ...own.map((schema) => ({ ...schema, isManaged: false }))];
      return all.filter(
        (schema) =>
          (!contains || schema.name.toLowerCase().includes(contains.toLowerCase()) || schema.spec.includes(contains)) &&
          (isArchived ?? schema.isArchived) === schema.isArchived &&
          (isManaged ?? schema.isManaged) === schema.isManaged &&
          (isInUse ?? used.has(schema.name)) === used.has(schema.name),
      );
    },
    setStatus: (actor, input) => setStatus(deps, actor, input),
    save: (actor, input) => save(deps, actor, input),
  };
}
