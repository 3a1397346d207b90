import { type Actor, admit, type Operation, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Database } from '#platform/postgres';
import type { ContentItem } from '../content/content-item.ts';
import { readItem, refuseBroken, refuseConflicts } from '../detection-service.ts';
import { refuseCodeOfLimited } from '../content-rights.ts';
import {
  deleteDetectionRows,
  findDetection,
  listDetections,
  saveDetections,
  type StoredDetection,
} from '../detection-store.ts';
import type { SandboxPool, UnitTestResult } from '../sandbox/sandbox-contract.ts';
import { testItem } from '../testing/testing-service.ts';
import { refuseInUse } from '../uploads/removal-service.ts';
import { findLogTypes, listOfType } from './content-page-store.ts';
import { type ContentType, formOf, isOfType } from './content-type.ts';
import { contentOperations } from './type-operations.ts';

/** What came of a request to save. */
export type SaveOutcome =
  | { readonly kind: 'saved'; readonly item: StoredDetection; readonly isNew: boolean }
  /** The unit tests passed and nothing was to be saved. */
  | { readonly kind: 'tested' }
  | { readonly kind: 'refused'; readonly results: readonly UnitTestResult[] };

/** Content of one type at a time, with the permissions of that type. Of another type means: does not exist. */
export type ContentService = {
  page(
    actor: Actor,
    type: ContentType,
    input: unknown,
  ): Promise<{ readonly items: readonly StoredDetection[]; readonly next: string | null }>;
  get(actor: Actor, type: ContentType, input: unknown): Promise<StoredDetection>;
  find(actor: Actor, type: ContentType, input: unknown): Promise<StoredDetection | undefined>;
  /** Throws DomainError `conflict` when the id is taken, whatever type it is of. */
  create(actor: Actor, type: ContentType, input: unknown): Promise<SaveOutcome>;
  put(actor: Actor, type: ContentType, input: unknown): Promise<SaveOutcome>;
  delete(actor: Actor, type: ContentType, input: unknown): Promise<void>;
  /** Log types of the rules that correlation rules refer to, by the ids of those rules. */
  logTypes(actor: Actor, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check' | 'test' | 'explain'>;
};

const taken = (id: string) =>
  new DomainError('conflict', { field: 'id', publicMessage: `There is a detection "${id}" already.` });

/** The id may be used by this type, and the item is of it. */
function refuseOtherType(type: ContentType, item: ContentItem, saved: readonly ContentItem[]): void {
  const { one } = formOf(type);
  if (!isOfType(type, item)) throw badInput('specification', `specification: it is no ${one}`);
  const known = saved.find(({ id }) => id === item.id);
  if (known !== undefined && !isOfType(type, known))
    throw new DomainError('conflict', { field: 'id', publicMessage: `"${item.id}" is there, and is no ${one}.` });
}

async function runOwnTests(deps: Deps, actor: Actor, item: ContentItem): Promise<readonly UnitTestResult[]> {
  const hasAny = 'Tests' in item.spec && (item.spec.Tests ?? []).length > 0;
  return hasAny ? testItem(deps, actor, item) : [];
}

async function save(
  deps: Deps,
  actor: Actor,
  type: ContentType,
  how: 'create' | 'put',
  input: unknown,
): Promise<SaveOutcome> {
  const operation = contentOperations[type][how];
  const { tests, ...written } = admit(actor, operation, input);
  const item = readItem(written);
  refuseCodeOfLimited(actor, item);
  const saved = await deps.database.withTenant(actor.tenantId, listDetections);
  if (how === 'create' && saved.some(({ id }) => id === item.id)) throw taken(item.id);
  refuseOtherType(type, item, saved);
  refuseConflicts(item, saved);
  await refuseBroken(deps, actor.tenantId, item, saved);
  const results = tests === 'none' ? [] : await runOwnTests(deps, actor, item);
  if (results.some(({ passed }) => !passed)) return { kind: 'refused', results };
  if (tests === 'only') return { kind: 'tested' };
  const isNew = await deps.database.withTenant(actor.tenantId, async (tx) => {
    const { newIds } = await saveDetections({ tx, changedBy: referenceOf(actor) }, [item]);
    // Somebody else may have taken the id since it was looked up.
    if (how === 'create' && newIds.length === 0) throw taken(item.id);
    await deps.audit.record(tx, actor, operation, {
      target: { kind: 'detection', id: item.id },
      parameters: { kind: item.kind, isEnabled: item.isEnabled },
    });
    return newIds.length > 0;
  });
  return { kind: 'saved', item: await read(deps, actor, type, item.id), isNew };
}

async function find(
  { database }: Deps,
  actor: Actor,
  type: ContentType,
  id: string,
): Promise<StoredDetection | undefined> {
  const found = await database.withTenant(actor.tenantId, (tx) => findDetection(tx, id));
  return found && isOfType(type, found) ? found : undefined;
}

async function read(deps: Deps, actor: Actor, type: ContentType, id: string): Promise<StoredDetection> {
  const found = await find(deps, actor, type, id);
  if (found === undefined) throw notFound(formOf(type).one, id);
  return found;
}

async function remove(
  { database, audit }: Deps,
  actor: Actor,
  { operation, type }: { readonly operation: Operation; readonly type: ContentType },
  id: string,
): Promise<void> {
  await database.withTenant(actor.tenantId, async (tx) => {
    const all = await listDetections(tx);
    const going = all.filter((item) => item.id === id && isOfType(type, item));
    if (going.length === 0) throw notFound(formOf(type).one, id);
    refuseInUse(going, all);
    await deleteDetectionRows({ tx, changedBy: referenceOf(actor) }, [id]);
    await audit.record(tx, actor, operation, { target: { kind: 'detection', id } });
  });
}

export function createContentService(deps: Deps): ContentService {
  const { database } = deps;
  return {
    async page(actor, type, input) {
      const filter = admit(actor, contentOperations[type].list, input);
      const found = await database.withTenant(actor.tenantId, (tx) => listOfType(tx, type, filter));
      const items = found.slice(0, filter.limit);
      return { items, next: found.length > items.length ? (items.at(-1)?.id ?? null) : null };
    },
    get: async (actor, type, input) => read(deps, actor, type, admit(actor, contentOperations[type].get, input).id),
    find: async (actor, type, input) => find(deps, actor, type, admit(actor, contentOperations[type].get, input).id),
    create: (actor, type, input) => save(deps, actor, type, 'create', input),
    put: (actor, type, input) => save(deps, actor, type, 'put', input),
    async delete(actor, type, input) {
      const operation = contentOperations[type].delete;
      const { id } = admit(actor, operation, input);
      await remove(deps, actor, { operation, type }, id);
    },
    async logTypes(actor, ids) {
      admit(actor, contentOperations.correlation_rule.get, { id: 'any' });
      return database.withTenant(actor.tenantId, (tx) => findLogTypes(tx, ids));
    },
  };
}
