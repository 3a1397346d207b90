import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ApolloServerPlugin } from '@apollo/server';
import { type DocumentNode, GraphQLError, Kind, type OperationDefinitionNode, parse, print, visit } from 'graphql';
import { z } from 'zod';
import type { GraphqlContext } from './context.ts';

/** Texts of operations by their SHA-256, with which a client asks for them. */
export type Manifest = ReadonlyMap<string, string>;

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function fragmentNames(node: OperationDefinitionNode, document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>();
  const collect = (inner: Parameters<typeof visit>[0]): void => {
    visit(inner, {
      FragmentSpread({ name }) {
        if (names.has(name.value)) return;
        names.add(name.value);
        const found = document.definitions.find(
          (other) => other.kind === Kind.FRAGMENT_DEFINITION && other.name.value === name.value,
        );
        if (found) collect(found);
      },
    });
  };
  collect(node);
  return names;
}

/** Each operation of a document alone, with the fragments it needs, as a client prints it. */
export function operationTexts(document: DocumentNode): readonly { readonly name: string; readonly text: string }[] {
  return document.definitions.flatMap((node) => {
    if (node.kind !== Kind.OPERATION_DEFINITION) return [];
    const names = fragmentNames(node, document);
    const definitions = document.definitions.filter(
      (other) => other === node || (other.kind === Kind.FRAGMENT_DEFINITION && names.has(other.name.value)),
    );
    return [{ name: node.name?.value ?? '', text: print({ kind: Kind.DOCUMENT, definitions }) }];
  });
}

/** The operations of our own frontends. */
function ownDocuments(): DocumentNode {
  const folder = path.join(import.meta.dirname, 'documents');
  const files = readdirSync(folder).filter((name) => name.endsWith('.graphql'));
  return parse(files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n'));
}

const manifestFile = z.object({
  operations: z.array(z.object({ id: z.string(), body: z.string().min(1) })),
});

/** The manifest of our own operations and, when there is a file, of those in it. Throws when an id is not its hash. */
export function readManifest(file: string | undefined): Manifest {
  const own = operationTexts(ownDocuments()).map(({ text }): [string, string] => [sha256(text), text]);
  if (file === undefined) return new Map(own);
  const { operations } = manifestFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  const wrong = operations.find(({ id, body }) => id !== sha256(body));
  if (wrong !== undefined)
    throw new Error(`${file}: the id "${wrong.id.slice(0, 100)}" is not the SHA-256 of its body.`);
  return new Map([...own, ...operations.map(({ id, body }): [string, string] => [id, body])]);
}

const rememberedMax = 1000;
const textCharactersMax = 50_000;

/** What clients sent once with its hash, the latest; what is longer than a frontend writes is not kept. */
function createMemory() {
  const texts = new Map<string, string>();
  return {
    get: (hash: string): string | undefined => texts.get(hash),
    set(hash: string, text: string): void {
      if (text.length > textCharactersMax) return;
      texts.delete(hash);
      texts.set(hash, text);
      const oldest = texts.size > rememberedMax ? texts.keys().next().value : undefined;
      if (oldest !== undefined) texts.delete(oldest);
    },
    delete: (hash: string): boolean => texts.delete(hash),
  };
}

export type PersistedQueries = {
  /** Where Apollo looks hashes up. */
  readonly cache: {
    get(hash: string): Promise<string | undefined>;
    set(hash: string, text: string): Promise<void>;
    delete(hash: string): Promise<boolean>;
  };
  /** None when everything is run. */
  readonly plugins: readonly ApolloServerPlugin<GraphqlContext>[];
  /** Throws when only listed operations are run and this text is none of them. */
  refuseUnlisted(text: string): void;
};

/** Apollo keeps its own keys in front of hashes. */
const bare = (key: string): string => key.replace(/^apq:/, '');

/** Operations by their hash, and, when asked for, no others. */
export function createPersistedQueries(manifest: Manifest, listedOnly: boolean): PersistedQueries {
  const memory = createMemory();
  const refuseUnlisted = (text: string): void => {
    if (!listedOnly || manifest.has(sha256(text))) return;
    throw new GraphQLError('This deployment runs only operations of its list.', {
      extensions: { code: 'OPERATION_NOT_LISTED', http: { status: 400 } },
    });
  };
  return {
    refuseUnlisted,
    cache: {
      get: async (key) => manifest.get(bare(key)) ?? memory.get(bare(key)),
      async set(key, text) {
        memory.set(bare(key), text);
      },
      delete: async (key) => memory.delete(bare(key)),
    },
    plugins: listedOnly
      ? [{ requestDidStart: async () => ({ didResolveOperation: async ({ source }) => refuseUnlisted(source) }) }]
      : [],
  };
}
