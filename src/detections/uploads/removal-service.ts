import { type Actor, admit, may, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { Database } from '#platform/postgres';
import { importedSearches } from '#search';
import { type ContentItem, isDerived } from '../content/content-item.ts';
import { queryOf } from '../content/types/query.ts';
import { deleteDetectionRows, listDetections, type StoredDetection } from '../detection-store.ts';
import * as operations from './upload-operations.ts';

/** Deleting many pieces of content at once, with what hangs on them. */
export type RemovalService = {
  deleteDetections(
    actor: Actor,
    input: unknown,
  ): Promise<{ readonly ids: readonly string[]; readonly savedQueryNames: readonly string[] }>;
  deleteSavedQueries(
    actor: Actor,
    input: unknown,
  ): Promise<{ readonly names: readonly string[]; readonly detectionIDs: readonly string[] }>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder };

const isQuery = ({ kind }: ContentItem): boolean => kind === 'SAVED_QUERY' || kind === 'SCHEDULED_QUERY';

/** Whether a scheduled rule is about the answers of a query, or a templated query takes macros of it. */
function usesQuery(spec: ContentItem['spec'], name: string): boolean {
  if (spec.AnalysisType === 'scheduled_rule') return spec.ScheduledQueries?.includes(name) ?? false;
  return (
    (spec.AnalysisType === 'saved_query' || spec.AnalysisType === 'scheduled_query') &&
    importedSearches(queryOf(spec) ?? '').includes(name)
  );
}

/** Ids of what would no longer work without the given item. */
function usersOf(item: ContentItem, others: readonly ContentItem[]): readonly string[] {
  const imports = new RegExp(String.raw`^[ \t]*(?:from|import)\s+(?:[\w.]+\s*,\s*)*${item.id}\b`, 'm');
  return others
    .filter(({ id, spec, body }) => {
      if (id === item.id) return false;
      if (isQuery(item)) return usesQuery(spec, item.id);
      if (item.kind === 'GLOBAL') return body !== '' && imports.test(body);
      return isDerived(spec) && spec.BaseDetection === item.id;
    })
    .map(({ id }) => id);
}

/** Refuses to delete what others, that stay, still need. */
export function refuseInUse(going: readonly ContentItem[], all: readonly ContentItem[]): void {
  const ids = new Set(going.map(({ id }) => id));
  const staying = all.filter(({ id }) => !ids.has(id));
  for (const item of going) {
    const users = usersOf(item, staying);
    if (users.length === 0) continue;
    const some = users.slice(0, 5).join(', ');
    const more = users.length > 5 ? ` and ${users.length - 5} more` : '';
    throw new DomainError('conflict', {
      field: 'id',
      publicMessage: `"${item.id}" is used by ${users.length} piece${users.length === 1 ? '' : 's'} of content: ${some}${more}. Delete or change them first.`,
    });
  }
}

/** A caller deletes only the kinds that their permission is about. */
function mayDelete(actor: Actor, { kind }: ContentItem): boolean {
  return may(actor, 'BulkUpload') || may(actor, kind === 'POLICY' ? 'PolicyModify' : 'RuleModify');
}

const queriesOf = (items: readonly ContentItem[]): readonly string[] =>
  items.flatMap(({ spec }) => (spec.AnalysisType === 'scheduled_rule' ? (spec.ScheduledQueries ?? []) : []));

export function createRemovalService({ database, audit }: Deps): RemovalService {
  const remove = (
    actor: Actor,
    operation: (typeof operations)['deleteDetections'] | (typeof operations)['deleteSavedQueriesByName'],
    choose: (all: readonly StoredDetection[]) => readonly StoredDetection[],
    isDry: boolean,
  ): Promise<readonly StoredDetection[]> =>
    database.withTenant(actor.tenantId, async (tx) => {
      const all = await listDetections(tx);
      const going = choose(all);
      if (isDry) return going;
      refuseInUse(going, all);
      const deleted = await deleteDetectionRows(
        { tx, changedBy: referenceOf(actor) },
        going.map(({ id }) => id),
      );
      await audit.record(tx, actor, operation, {
        target: { kind: 'detection', id: deleted[0] ?? 'none' },
        parameters: { ids: deleted },
      });
      return going;
    });
  return {
    async deleteDetections(actor, input) {
      const { ids, dryRun, includeSavedQueries } = admit(actor, operations.deleteDetections, input);
      const going = await remove(
        actor,
        operations.deleteDetections,
        (all) => {
          const chosen = all.filter((item) => ids.includes(item.id) && !isQuery(item) && mayDelete(actor, item));
          const queries = includeSavedQueries === true ? queriesOf(chosen) : [];
          return [...chosen, ...all.filter((item) => isQuery(item) && queries.includes(item.id))];
        },
        dryRun === true,
      );
      return {
        ids: going.filter((item) => !isQuery(item)).map(({ id }) => id),
        savedQueryNames: going.filter(isQuery).map(({ id }) => id),
      };
    },
    async deleteSavedQueries(actor, input) {
      const { names, dryRun, includeDetections } = admit(actor, operations.deleteSavedQueriesByName, input);
      const going = await remove(
        actor,
        operations.deleteSavedQueriesByName,
        (all) => {
          const chosen = all.filter((item) => isQuery(item) && names.includes(item.id));
          const gone = new Set(chosen.map(({ id }) => id));
          const linked = all.filter((item) => queriesOf([item]).some((query) => gone.has(query)));
          return [...chosen, ...(includeDetections === true ? linked : [])];
        },
        dryRun === true,
      );
      return {
        names: going.filter(isQuery).map(({ id }) => id),
        detectionIDs: going.filter((item) => !isQuery(item)).map(({ id }) => id),
      };
    },
  };
}
