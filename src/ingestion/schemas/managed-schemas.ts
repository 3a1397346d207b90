import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { type CompiledSchema, compileSchema } from './compiled-schema.ts';

export type ManagedSchema = {
  readonly name: string;
  readonly specText: string;
  readonly description: string;
  readonly referenceUrl: string;
  /** Compiled when first asked for: hundreds ship, and a process needs those of its tenants' sources. */
  readonly compiled: CompiledSchema;
};

const folder = path.join(import.meta.dirname, 'managed');

/** A key at the top of a shipped file. They are ours and keep to one line, so nothing is parsed to list them. */
function headOf(specText: string, key: string): string {
  const value = new RegExp(`^${key}: (.*)$`, 'm').exec(specText)?.[1] ?? '';
  if (value.startsWith('"')) return value.slice(1, -1);
  return value.startsWith("'") ? value.slice(1, -1).replaceAll("''", "'") : value;
}

function managedSchema(file: string): ManagedSchema {
  const specText = readFileSync(path.join(folder, file), 'utf8');
  let compiled: CompiledSchema | undefined;
  return {
    name: headOf(specText, 'schema'),
    specText,
    description: headOf(specText, 'description'),
    referenceUrl: headOf(specText, 'referenceURL'),
    get compiled() {
      if (compiled === undefined) {
        const result = compileSchema(specText);
        if ('problems' in result)
          throw new Error(`The managed schema ${file} is wrong: ${JSON.stringify(result.problems)}`);
        compiled = result.schema;
      }
      return compiled;
    },
  };
}

let loaded: ReadonlyMap<string, ManagedSchema> | undefined;

/** The schemas that come with the product, by name; read once. */
export function managedSchemas(): ReadonlyMap<string, ManagedSchema> {
  loaded ??= new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.yml'))
      .map(managedSchema)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((schema) => [schema.name, schema]),
  );
  return loaded;
}
