import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type CompiledSchema, compileSchema } from './compiled-schema.ts';

export type ManagedSchema = {
  readonly name: string;
  readonly specText: string;
  readonly description: string;
  readonly referenceUrl: string;
  readonly compiled: CompiledSchema;
};

const folder = path.join(import.meta.dirname, 'managed');

function load(): ReadonlyMap<string, ManagedSchema> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yml'));
  const schemas = files.toSorted().map((file): ManagedSchema => {
    const specText = readFileSync(path.join(folder, file), 'utf8');
    const result = compileSchema(specText);
    if ('problems' in result)
      throw new Error(`The managed schema ${file} is wrong: ${JSON.stringify(result.problems)}`);
    const { spec, schema } = result;
    return {
      name: spec.schema,
      specText,
      description: spec.description ?? '',
      referenceUrl: spec.referenceURL ?? '',
      compiled: schema,
    };
  });
  return new Map(schemas.map((schema) => [schema.name, schema]));
}

let loaded: ReadonlyMap<string, ManagedSchema> | undefined;

/** The schemas that come with the product, by name; read once. */
export function managedSchemas(): ReadonlyMap<string, ManagedSchema> {
  loaded ??= load();
  return loaded;
}
