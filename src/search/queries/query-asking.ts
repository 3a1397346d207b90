import { type Actor, admit, type Operation } from '#access';
import { badInput, DomainError } from '#platform/errors';
import { hashId } from '#platform/ids';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { databaseNameOf } from '../catalogue/find-table.ts';
import { indicatorSql } from '../language/indicator-search.ts';
import { expandTemplate, importedSearches } from '../language/template.ts';
import { type EventSelection, fieldStatisticsSql, histogramSql } from '../language/summary-search.ts';
import { printQuery } from '../print/print-query.ts';
import {
  executeDataLakeQuery,
  executeFieldStatisticsQuery,
  executeHistogramQuery,
  executeIndicatorSearchQuery,
} from '../search-operations.ts';
import { compileSql } from '../sql/compile-sql.ts';
import { type DialectName, dialectOf } from '../sql/dialect.ts';
import { accessKeyOf, anyLogType, resultColumns } from './lake-query.ts';
import { createCatalogues, type QueryDeps } from './query-deps.ts';
import { explained, type Written } from './problem-place.ts';
import { countOpen, insertQuery, type NewQuery, reuseResult } from './query-store.ts';

type AskedText = { readonly sql: string; readonly name: string };

export type QueryAsking = {
  execute(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  /** The same for a use case of another room, which has admitted the caller to its own operation. */
  run(actor: Actor, operation: Operation, asked: AskedText): Promise<{ readonly id: string }>;
  searchIndicators(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  /** Events over time; the rows are those of `histogramSql`. */
  histogram(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  /** Values of fields; the rows are those of `fieldStatisticsSql`. */
  fieldStatistics(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
};

const openPerTenant = 200;
const openPerIssuer = 50;
const importsMax = 50;
/** How long a result stands for the same question asked again. */
const reuseMs = 30_000;

type Asked = {
  readonly sql: string;
  readonly databaseName: string;
  /** When absent, what the text says about itself. */
  readonly dialect?: DialectName | null | undefined;
  readonly name: string | null;
  readonly catalogue: Catalogue;
  /** What messages name as wrong; the whole statement when absent. */
  readonly field?: string;
  /** What of the statement the caller wrote; all of it when absent. */
  readonly parts?: readonly Written[];
};

/** The text with the macros of the tenant's saved searches in it. */
async function expandFor({ database, savedSearch }: QueryDeps, actor: Actor, sql: string): Promise<string> {
  const names = importedSearches(sql);
  if (names.length === 0) return expandTemplate(sql, () => undefined);
  const texts = new Map<string, string | undefined>();
  await database.withTenant(actor.tenantId, async (tx) => {
    for (const name of names.slice(0, importsMax)) texts.set(name, await savedSearch(tx, name));
  });
  return expandTemplate(sql, (name) => texts.get(name));
}

function createAsker(deps: QueryDeps) {
  const { database, audit, clock, ids, limits } = deps;
  const compile = async (actor: Actor, asked: Asked, text: string): Promise<NewQuery> => {
    const { sql, databaseName, name, catalogue } = asked;
    const at = clock.now();
    const dialect = dialectOf(text, asked.dialect);
    const { query, logTypes } = await compileSql(text, { catalogue, databaseName, dialect, now: at });
    const printed = printQuery(query, { tenantId: actor.tenantId, rowsMax: limits.rowsMax });
    const accessKey = accessKeyOf(actor.logTypeAccess);
    return {
      id: ids.uuid(),
      name,
      sql,
      databaseName,
      dialect,
      issuer: { kind: actor.kind, id: actor.id, name: actor.name },
      statement: printed.sql,
      reads: printed.reads,
      columns: resultColumns(printed.columns),
      logTypes: [...logTypes].map((logType) => logType ?? anyLogType),
      accessKey,
      cacheKey: hashId(text, databaseName, dialect, accessKey),
      at,
      traceId: actor.origin.traceId,
    };
  };
  return async (actor: Actor, operation: Operation, asked: Asked): Promise<{ readonly id: string }> => {
    const field = asked.field ?? 'sql';
    const text = await explained({ field, sql: asked.sql }, () => expandFor(deps, actor, asked.sql));
    const blamed = { field, sql: text, parts: asked.parts, dialect: asked.dialect };
    const query = await explained(blamed, () => compile(actor, asked, text));
    return database.withTenant(actor.tenantId, async (tx) => {
      const open = await countOpen(tx, actor.id);
      if (open.own >= openPerIssuer || open.all >= openPerTenant)
        throw new DomainError('rate_limited', {
          publicMessage: `${open.own >= openPerIssuer ? `${open.own} of your queries wait` : `${open.all} queries wait`} or run. Wait for one to end, or cancel one.`,
          retryable: true,
          retryAfterSeconds: 5,
        });
      await insertQuery(tx, query);
      await reuseResult(tx, query, new Date(query.at.getTime() - reuseMs));
      await audit.record(tx, actor, operation, {
        target: { kind: 'query', id: query.id },
        parameters: { sql: asked.sql.slice(0, 10_000), databaseName: asked.databaseName, dialect: query.dialect },
      });
      return { id: query.id };
    });
  };
}

type Selected = {
  readonly databaseName?: string | null | undefined;
  readonly tables?: readonly string[] | null | undefined;
  readonly where?: string | null | undefined;
  readonly dialect?: DialectName | null | undefined;
  readonly fields?: readonly string[];
  readonly startTime: Date;
  readonly endTime: Date;
};

const selectionOf = ({ databaseName, tables, where, startTime, endTime }: Selected): EventSelection => ({
  databaseName: databaseNameOf(databaseName ?? 'panther_logs'),
  tables: tables ?? [],
  where: where ?? '',
  from: startTime,
  to: endTime,
});

/** Questions of a search page: how many events when, and what is in their fields. */
function createSummaries(
  ask: ReturnType<typeof createAsker>,
  catalogueOf: ReturnType<typeof createCatalogues>,
): Pick<QueryAsking, 'histogram' | 'fieldStatistics'> {
  const summarize = async (
    actor: Actor,
    operation: Operation,
    selected: Selected,
    write: (catalogue: Catalogue, selection: EventSelection) => string,
  ) => {
    const catalogue = await catalogueOf(actor);
    const selection = selectionOf(selected);
    const sql = await explained({ field: 'tables', sql: '' }, () => write(catalogue, selection));
    const { databaseName, where } = selection;
    const { dialect, fields = [] } = selected;
    const parts = [{ field: 'where', text: where }, ...fields.map((text) => ({ field: 'fields', text }))];
    return ask(actor, operation, { sql, databaseName, dialect, name: null, catalogue, field: 'where', parts });
  };
  return {
    async histogram(actor, input) {
      const wanted = admit(actor, executeHistogramQuery, input);
      return summarize(actor, executeHistogramQuery, wanted, (catalogue, selection) =>
        histogramSql(catalogue, selection, wanted.bucketsMax ?? 60),
      );
    },
    async fieldStatistics(actor, input) {
      const wanted = admit(actor, executeFieldStatisticsQuery, input);
      return summarize(actor, executeFieldStatisticsQuery, wanted, (catalogue, selection) =>
        fieldStatisticsSql(catalogue, selection, wanted.fields, wanted.valuesMax ?? 10),
      );
    },
  };
}

/** Takes queries: compiles them for the caller, and stores what is to be run. */
export function createQueryAsking(deps: QueryDeps): QueryAsking {
  const catalogueOf = createCatalogues(deps);
  const ask = createAsker(deps);
  return {
    ...createSummaries(ask, catalogueOf),
    async execute(actor, input) {
      const { sql, databaseName, dialect, name } = admit(actor, executeDataLakeQuery, input);
      const catalogue = await catalogueOf(actor);
      return ask(actor, executeDataLakeQuery, {
        sql,
        databaseName: databaseName ?? 'panther_logs',
        dialect,
        name: name ?? null,
        catalogue,
      });
    },
    async run(actor, operation, { sql, name }) {
      return ask(actor, operation, { sql, databaseName: 'panther_logs', name, catalogue: await catalogueOf(actor) });
    },
    async searchIndicators(actor, input) {
      const wanted = admit(actor, executeIndicatorSearchQuery, input);
      const kind = wanted.indicatorName ?? 'AutoDetectType';
      if (kind === 'TextSearch')
        throw badInput('indicatorName', 'indicatorName: TextSearch is not there yet; use AutoDetectType or a column.');
      const catalogue = await catalogueOf(actor);
      const column = kind === 'AutoDetectType' || kind === 'SimpleSearch' ? undefined : kind;
      const { indicators, startTime, endTime, databases, tables } = wanted;
      const search = {
        indicators,
        from: startTime,
        to: endTime,
        column,
        databases: databases ?? [],
        tables: tables ?? [],
      };
      const sql = await explained({ field: 'databases', sql: '' }, () => indicatorSql(catalogue, search));
      return ask(actor, executeIndicatorSearchQuery, { sql, databaseName: 'panther_logs', name: null, catalogue });
    },
  };
}
