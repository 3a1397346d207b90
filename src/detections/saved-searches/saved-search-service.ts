import { type Actor, admit, type Operation, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import type { QueryService } from '#search';
import { readItem } from '../detection-service.ts';
import { findDetection, listVersions, saveDetections } from '../detection-store.ts';
import {
  isSearch,
  type SavedSearch,
  type SavedSearchVersion,
  specificationOf,
  toSearch,
  toSearchVersion,
} from './saved-search.ts';
import * as operations from './saved-search-operations.ts';
import { listSearches } from './saved-search-store.ts';

type SearchPage = { readonly searches: readonly SavedSearch[]; readonly endCursor: string | null };

/** Searches that are kept for everybody of a tenant who may query the data lake. */
export type SavedSearchService = {
  list(actor: Actor, input: unknown): Promise<SearchPage>;
  get(actor: Actor, input: unknown): Promise<SavedSearch>;
  versions(actor: Actor, input: unknown): Promise<readonly SavedSearchVersion[]>;
  /** Throws DomainError `conflict` when the name is taken, whatever has it. */
  create(actor: Actor, input: unknown): Promise<SavedSearch>;
  update(actor: Actor, input: unknown): Promise<SavedSearch>;
  execute(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly queries: Pick<QueryService, 'run'>;
};

const cursorOf = (name: string): string => Buffer.from(`after ${name}`).toString('base64url');

function parseCursor(cursor: string | null | undefined): string | undefined {
  if (!cursor) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString();
  if (!text.startsWith('after ')) throw badInput('cursor', 'cursor: is not a cursor of this list');
  return text.slice('after '.length);
}

async function find(tx: TenantTx, name: string): Promise<SavedSearch | undefined> {
  const item = await findDetection(tx, name);
  return item !== undefined && isSearch(item) ? toSearch(item) : undefined;
}

async function read({ database }: Deps, actor: Actor, name: string): Promise<SavedSearch> {
  const found = await database.withTenant(actor.tenantId, (tx) => find(tx, name));
  if (found === undefined) throw notFound('saved search', name);
  return found;
}

/** Refuses a name that is taken when a new search is made, and one that no search has when it is changed. */
async function refuseWrongName(tx: TenantTx, name: string, isNew: boolean): Promise<void> {
  const known = await findDetection(tx, name);
  if (isNew && known !== undefined)
    throw new DomainError('conflict', { field: 'name', publicMessage: `The name "${name}" is taken already.` });
  if (!isNew && (known === undefined || !isSearch(known))) throw notFound('saved search', name);
}

async function save(
  deps: Deps,
  actor: Actor,
  operation: Operation<typeof operations.createSavedQuery.input>,
  input: unknown,
): Promise<SavedSearch> {
  const wanted = admit(actor, operation, input);
  const item = readItem({ specification: specificationOf(wanted), body: '' });
  await deps.database.withTenant(actor.tenantId, async (tx) => {
    await refuseWrongName(tx, item.id, operation === operations.createSavedQuery);
    await saveDetections({ tx, changedBy: referenceOf(actor) }, [item]);
    await deps.audit.record(tx, actor, operation, {
      target: { kind: 'saved_query', id: item.id },
      parameters: { sql: wanted.sql.slice(0, 10_000), isScheduled: item.kind === 'SCHEDULED_QUERY' },
    });
  });
  return read(deps, actor, item.id);
}

export function createSavedSearchService(deps: Deps): SavedSearchService {
  const { database } = deps;
  return {
    async list(actor, input) {
      const { cursor, pageSize, contains, tags } = admit(actor, operations.savedQueries, input);
      const size = pageSize ?? 25;
      return database.withTenant(actor.tenantId, async (tx) => {
        const found = await listSearches(tx, {
          contains: contains || undefined,
          tags: tags ?? [],
          after: parseCursor(cursor),
          limit: size + 1,
        });
        const searches = found.slice(0, size).map(toSearch);
        return { searches, endCursor: found.length > size ? cursorOf(searches.at(-1)?.name ?? '') : null };
      });
    },
    async get(actor, input) {
      const { name } = admit(actor, operations.savedQuery, input);
      return read(deps, actor, name);
    },
    async versions(actor, input) {
      const { name } = admit(actor, operations.savedQueryVersions, input);
      const versions = await database.withTenant(actor.tenantId, (tx) => listVersions(tx, name));
      const searches = versions.filter(isSearch).map(toSearchVersion);
      if (searches.length === 0) throw notFound('saved search', name);
      return searches;
    },
    create: (actor, input) => save(deps, actor, operations.createSavedQuery, input),
    update: (actor, input) => save(deps, actor, operations.updateSavedQuery, input),
    async execute(actor, input) {
      const { name } = admit(actor, operations.executeSavedQuery, input);
      const { sql } = await read(deps, actor, name);
      return deps.queries.run(actor, operations.executeSavedQuery, { sql, name });
    },
  };
}
