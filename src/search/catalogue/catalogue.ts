import { type LogTypeAccess, mayReadLogType } from '#access';
import type { LakeFamily, LakeTable } from '#lake';
import { standardColumns } from '#lake';
import type { SourceColumn, TableSource } from '../plan/plan.ts';
import { stringType } from '../plan/type.ts';
import {
  type CatalogueColumn,
  familyCatalogueColumns,
  insideEvent,
  type LogTypeSchema,
  logTypeColumns,
  sourceColumn,
  standardCatalogueColumns,
} from './table-columns.ts';

/** A table under the name that users write, and where its rows lie. */
export type CatalogueTable = {
  readonly database: string;
  readonly name: string;
  readonly description: string;
  readonly logType?: string;
  readonly columns: readonly CatalogueColumn[];
  readonly sources: readonly TableSource[];
  /** True when every column is the table's own, so that it is read without a query around it. */
  readonly isWhole: boolean;
};

export type CatalogueDatabase = {
  readonly name: string;
  readonly description: string;
  /** Why it has no tables yet. */
  readonly absence?: string;
  readonly tables: readonly CatalogueTable[];
};

/** Everything one caller may read, by the names that users know. */
export type Catalogue = { readonly databases: readonly CatalogueDatabase[] };

export type CatalogueInput = {
  readonly tables: readonly LakeTable[];
  readonly schemas: readonly LogTypeSchema[];
  readonly access: LogTypeAccess;
};

/** `AWS.CloudTrail` → `aws_cloudtrail`. */
const tableNameOf = (logType: string): string => logType.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');

const eventColumns = new Set(standardColumns.map(({ name }) => name));

function physicalNames(table: LakeTable): ReadonlySet<string> {
  return new Set([...eventColumns, ...table.columns.map(({ name }) => name)].map((name) => name.toLowerCase()));
}

/** Rows of other log types are left out when the caller may not read them. */
function permitted(access: LogTypeAccess): TableSource['logTypes'] {
  switch (access.kind) {
    case 'ALLOW_ALL':
      return undefined;
    case 'DENY_ALL':
      return { kind: 'only', names: [] };
    case 'ALLOW':
      return { kind: 'only', names: [...access.logTypes] };
    case 'DENY':
      return { kind: 'except', names: [...access.logTypes] };
  }
}

type SourceOptions = { readonly isInEvent?: boolean; readonly logTypes?: TableSource['logTypes'] | undefined };

function sourceOf(
  table: LakeTable,
  columns: readonly CatalogueColumn[],
  { isInEvent = false, logTypes }: SourceOptions = {},
): TableSource {
  const physical = physicalNames(table);
  return {
    database: table.database,
    table: table.table,
    isPooled: table.layout === 'pooled',
    columns: columns.map((column) => sourceColumn(column, physical, isInEvent)),
    ...(logTypes === undefined ? {} : { logTypes }),
  };
}

const isWholeSource = ({ isPooled, logTypes, columns }: TableSource): boolean =>
  !isPooled && logTypes === undefined && columns.every((column) => column.physical !== undefined);

const isWholeTable = ([first, ...more]: readonly TableSource[]): boolean =>
  first !== undefined && more.length === 0 && isWholeSource(first);

type TableParts = Pick<CatalogueTable, 'database' | 'name' | 'description' | 'logType'> & {
  readonly columns: () => readonly CatalogueColumn[];
  readonly sources: (columns: () => readonly CatalogueColumn[]) => readonly TableSource[];
  readonly isWhole?: (sources: readonly TableSource[]) => boolean;
};

/**
 * A table whose columns are worked out when somebody looks at them: the catalogue has hundreds of tables, and a
 * question names a few.
 */
function tableOf({ columns, sources, isWhole = isWholeTable, ...names }: TableParts): CatalogueTable {
  let found: readonly CatalogueColumn[] | undefined;
  let places: readonly TableSource[] | undefined;
  const readColumns = () => (found ??= columns());
  const readSources = () => (places ??= sources(readColumns));
  return {
    ...names,
    get columns() {
      return readColumns();
    },
    get sources() {
      return readSources();
    },
    get isWhole() {
      return isWhole(readSources());
    },
  };
}

type LogType = {
  readonly name: string;
  readonly schema: LogTypeSchema | undefined;
  readonly table: LakeTable | undefined;
};

function logTypes({ tables, schemas, access }: CatalogueInput): readonly LogType[] {
  const held = new Map(tables.filter(({ family }) => family === 'logs').map((table) => [table.logType, table]));
  const declared = new Map(schemas.map((schema) => [schema.logType, schema]));
  return [...new Set([...declared.keys(), ...held.keys()])]
    .filter((name) => mayReadLogType(access, name))
    .toSorted()
    .map((name) => ({ name, schema: declared.get(name), table: held.get(name) }));
}

const logColumns = ({ schema, table }: LogType): readonly CatalogueColumn[] => [
  ...standardCatalogueColumns,
  ...logTypeColumns(schema, table?.columns ?? []),
];

function logTable(database: string, logType: LogType): CatalogueTable {
  return tableOf({
    database,
    name: tableNameOf(logType.name),
    description: logType.schema?.description ?? '',
    logType: logType.name,
    columns: () => logColumns(logType),
    sources: (columns) => (logType.table === undefined ? [] : [sourceOf(logType.table, columns())]),
  });
}

/** Events of one log type on which rules matched or failed: the same columns as in the logs, and those of the rule. */
function eventTable(
  database: string,
  logType: LogType,
  family: 'rule_matches' | 'rule_errors',
  table: LakeTable | undefined,
): CatalogueTable {
  const columns = () => [
    ...standardCatalogueColumns,
    ...familyCatalogueColumns(family),
    ...logTypeColumns(logType.schema, logType.table?.columns ?? []).map(insideEvent),
  ];
  const only = { kind: 'only', names: [logType.name] } as const;
  return tableOf({
    database,
    name: tableNameOf(logType.name),
    description: '',
    logType: logType.name,
    columns,
    sources: (read) => (table === undefined ? [] : [sourceOf(table, read(), { isInEvent: true, logTypes: only })]),
  });
}

function wholeTable(
  database: string,
  name: string,
  description: string,
  table: LakeTable | undefined,
  family: Exclude<LakeFamily, 'logs'>,
  access: LogTypeAccess,
): CatalogueTable {
  const columns = [...standardCatalogueColumns, ...familyCatalogueColumns(family)];
  // What fits no schema has no log type; an allow list of log types does not take it away.
  const logTypes = family === 'classification_failures' ? undefined : permitted(access);
  const sources = table === undefined ? [] : [sourceOf(table, columns, { logTypes })];
  return tableOf({ database, name, description, columns: () => columns, sources: () => sources });
}

const databaseColumn: CatalogueColumn = { name: 'p_db_name', type: stringType, description: 'Database the row is in.' };

/** Columns beginning with `p_` of any of the tables; log types without rows have the standard ones alone. */
function sharedColumns(tables: readonly CatalogueTable[]): readonly CatalogueColumn[] {
  const held = tables.filter(({ logType, sources }) => logType === undefined || sources.length > 0);
  const byName = new Map<string, CatalogueColumn>();
  for (const column of [...standardCatalogueColumns, ...held.flatMap(({ columns }) => columns)])
    if (column.name.startsWith('p_') && !byName.has(column.name)) byName.set(column.name, column);
  return [databaseColumn, ...[...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))];
}

/** All tables of a database read as one. */
function viewOver(name: string, description: string, tables: readonly CatalogueTable[]): CatalogueTable {
  const sourcesOf = (columns: readonly CatalogueColumn[]) =>
    tables.flatMap((table) =>
      table.sources.map((source): TableSource => {
        const held = new Map(source.columns.map((column) => [column.name, column]));
        const given = columns
          .slice(1)
          .map(({ name: column, type }): SourceColumn => held.get(column) ?? { name: column, type });
        return { ...source, columns: [{ name: 'p_db_name', type: stringType, constant: table.database }, ...given] };
      }),
    );
  return tableOf({
    database: 'panther_views',
    name,
    description,
    columns: () => sharedColumns(tables),
    sources: (columns) => sourcesOf(columns()),
    isWhole: () => false,
  });
}

const notBuilt = {
  panther_cloudsecurity: 'Cloud security keeps no history in the data lake yet.',
  panther_lookups: 'Lookup tables are not in the data lake yet.',
  panther_audit: 'Audit logs are not in the data lake yet: read them with the query auditLogs.',
} as const;

/** The catalogue of one caller. Tables of log types that the caller may not read are not in it. */
export function buildCatalogue(input: CatalogueInput): Catalogue {
  const { access, tables } = input;
  const of = (family: LakeFamily) => tables.find((table) => table.family === family);
  const types = logTypes(input);
  const logs = types.map((logType) => logTable('panther_logs', logType));
  const matches = types.map((logType) =>
    eventTable('panther_rule_matches', logType, 'rule_matches', of('rule_matches')),
  );
  const errors = types.map((logType) => eventTable('panther_rule_errors', logType, 'rule_errors', of('rule_errors')));
  const whole = (database: string, name: string, family: Exclude<LakeFamily, 'logs'>, description: string) =>
    wholeTable(database, name, description, of(family), family, access);
  const signals = whole(
    'panther_signals',
    'correlation_signals',
    'signals',
    'Every event on which a rule matched, whether or not it made an alert.',
  );
  const failures = whole(
    'panther_monitor',
    'classification_failures',
    'classification_failures',
    'Records that fitted no schema, and why.',
  );
  const allMatches = whole('panther_rule_matches', 'all', 'rule_matches', '');
  const allErrors = whole('panther_rule_errors', 'all', 'rule_errors', '');
  const views = [
    viewOver('all_logs', 'The p_ columns of all logs.', logs),
    viewOver('all_rule_matches', 'The p_ columns of all events that matched a rule.', [allMatches]),
    viewOver('all_rule_errors', 'The p_ columns of all events on which a rule failed.', [allErrors]),
    viewOver('all_databases', 'The p_ columns of everything above.', [...logs, allMatches, allErrors, signals]),
  ];
  const absent = Object.entries(notBuilt).map(([name, absence]) => ({
    name,
    description: absence,
    absence,
    tables: [],
  }));
  return {
    databases: [
      { name: 'panther_logs', description: 'Events as they came in, a table for each log type.', tables: logs },
      { name: 'panther_rule_matches', description: 'Events that matched a rule, with the alert.', tables: matches },
      { name: 'panther_rule_errors', description: 'Events on which a rule failed.', tables: errors },
      { name: 'panther_signals', description: 'Signals of all rules.', tables: [signals] },
      { name: 'panther_views', description: 'Many tables read as one.', tables: views },
      { name: 'panther_monitor', description: 'How intake works.', tables: [failures] },
      ...absent,
    ],
  };
}
