import { isIP } from 'node:net';
import { type IndicatorField, indicatorFields } from '#lake';
import type { Catalogue } from '../catalogue/catalogue.ts';
import { databaseNameOf } from '../catalogue/find-table.ts';
import { SqlProblem } from './sql-problem.ts';
import { sqlText } from './sql-text.ts';

const rowsMax = 1000;

const hashColumns: Readonly<Record<number, IndicatorField>> = {
  32: 'p_any_md5_hashes',
  40: 'p_any_sha1_hashes',
  64: 'p_any_sha256_hashes',
};

/** Columns that may hold the value, judged by its form; all of them when the form says nothing. */
function columnsFor(value: string): readonly IndicatorField[] {
  if (isIP(value) !== 0) return ['p_any_ip_addresses', 'p_any_domain_names'];
  const hash = /^[0-9a-f]+$/i.test(value) ? hashColumns[value.length] : undefined;
  if (hash !== undefined) return [hash, 'p_any_trace_ids'];
  if (value.startsWith('arn:')) return ['p_any_aws_arns', 'p_any_actor_ids'];
  if (/^\d{12}$/.test(value)) return ['p_any_aws_account_ids', 'p_any_actor_ids', 'p_any_usernames'];
  if (/^i-[0-9a-f]{8,17}$/.test(value)) return ['p_any_aws_instance_ids'];
  if (/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(value)) return ['p_any_emails', 'p_any_usernames', 'p_any_actor_ids'];
  if (/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value)) return ['p_any_mac_addresses'];
  return indicatorFields;
}

export type IndicatorSearch = {
  readonly indicators: readonly string[];
  readonly from: Date;
  readonly to: Date;
  /** Undefined: the columns that fit each value. */
  readonly column: IndicatorField | undefined;
  readonly databases: readonly string[];
  readonly tables: readonly string[];
};

/** Hashes and names of machines are written in any case; they are stored in lower case. */
const spellings = (value: string): readonly string[] => [...new Set([value, value.toLowerCase()])];

function tablesOf(catalogue: Catalogue, { databases, tables }: IndicatorSearch): readonly string[] {
  const wanted = new Set(databases.map(databaseNameOf));
  const names = new Set(tables.map((name) => name.toLowerCase().split('.').at(-1)));
  if (wanted.size === 0 && names.size === 0) return ['panther_views.public.all_databases'];
  const found = catalogue.databases
    .filter((database) => (wanted.size === 0 ? database.name === 'panther_logs' : wanted.has(database.name)))
    .flatMap((database) =>
      database.tables
        .filter(({ name }) => names.size === 0 || names.has(name))
        .map(({ name }) => `${database.name}.public.${name}`),
    );
  if (found.length === 0)
    throw new SqlProblem('none of these databases and tables exists.', {
      suggestion: `Databases: ${catalogue.databases.map(({ name }) => name).join(', ')}.`,
    });
  return found;
}

/** The search as a statement of the language, so that it goes through the same fence as all others. */
export function indicatorSql(catalogue: Catalogue, search: IndicatorSearch): string {
  const tests = search.indicators.flatMap((value) =>
    (search.column === undefined ? columnsFor(value) : [search.column]).flatMap((column) =>
      spellings(value).map((spelling) => `ARRAY_CONTAINS(${sqlText(spelling)}, ${column})`),
    ),
  );
  const columns = `p_event_time, p_log_type, p_row_id, p_source_label, ${indicatorFields.join(', ')}`;
  const range = `p_event_time BETWEEN ${sqlText(search.from.toISOString())} AND ${sqlText(search.to.toISOString())}`;
  const selects = tablesOf(catalogue, search).map((table) => {
    const database = table.startsWith('panther_views.')
      ? 'p_db_name'
      : `${sqlText(table.split('.')[0] ?? '')} AS p_db_name`;
    return `SELECT ${database}, ${columns} FROM ${table} WHERE ${range} AND (${tests.join(' OR ')})`;
  });
  return `${selects.join('\nUNION ALL\n')}\nORDER BY p_event_time DESC LIMIT ${rowsMax}`;
}
