import { DomainError } from '#platform/errors';
import type { TenantTx } from '#platform/postgres';
import { type CompiledSchema, compileSchema } from '../schemas/compiled-schema.ts';
import { managedSchemas } from '../schemas/managed-schemas.ts';
import { findRevision } from '../schemas/schema-store.ts';
import type { BatchManifest } from './batch.ts';

/** A revision of a schema as it was written. */
export type SchemaText = string;

const schemasKept = 10_000;

/** Keeps values by key; at the limit it begins anew. */
function remember<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  if (known.size >= schemasKept) known.clear();
  known.set(key, value);
  return value;
}

/** Reads the schemas of plans. The text of a revision never changes: one that was read is kept. */
export function createPlanSchemas() {
  const texts = new Map<string, SchemaText>();
  const read = async (tx: TenantTx, name: string, revision: number): Promise<SchemaText> => {
    const managed = managedSchemas().get(name);
    if (managed !== undefined) return managed.specText;
    const key = `${tx.tenantId}/${name}/${revision}`;
    return texts.get(key) ?? remember(texts, key, (await findRevision(tx, name, revision)) ?? '');
  };
  return async (tx: TenantTx, { schemas }: BatchManifest): Promise<readonly SchemaText[]> => {
    const found: SchemaText[] = [];
    for (const { name, revision } of schemas) found.push(await read(tx, name, revision));
    return found;
  };
}

const compiled = new Map<SchemaText, CompiledSchema>();

/** The schema, compiled once in each thread. */
export function compiledOf(text: SchemaText): CompiledSchema {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compileSchema(text);
  if ('problems' in result)
    throw new DomainError('internal', {
      publicMessage: 'A stored schema cannot be read.',
      detail: { begins: text.slice(0, 100), problems: result.problems },
    });
  return remember(compiled, text, result.schema);
}
