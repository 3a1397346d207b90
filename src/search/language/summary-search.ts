import type { Catalogue } from '../catalogue/catalogue.ts';
import { findTable } from '../catalogue/find-table.ts';
import { type Place, SqlProblem } from './sql-problem.ts';
import { sqlText } from './sql-text.ts';

/**
 * The events that a search page is about: tables, a range of time, a condition in SQL. The statements made of it read the
 * same in both dialects; the condition and the fields are in the one that the statement is compiled in.
 */
export type EventSelection = {
  readonly databaseName: string;
  /** All of the database when empty. */
  readonly tables: readonly string[];
  /** A condition over the columns that all these tables have; everything when empty. */
  readonly where: string;
  readonly from: Date;
  readonly to: Date;
};

const tablesMax = 50;

/** Tables under their full names. Throws SqlProblem for one that the caller does not have. */
function tablesOf(catalogue: Catalogue, { databaseName, tables }: EventSelection): readonly string[] {
  if (tables.length > 0)
    return tables.map((name) => {
      const { database, name: found } = findTable(catalogue, name.split('.'), databaseName);
      return `${database}.public.${found}`;
    });
  const known = catalogue.databases.find(({ name }) => name === databaseName)?.tables ?? [];
  // Tables of log types that never came are empty; one of them is enough to check the condition on.
  const held = known.filter(({ sources }) => sources.length > 0);
  const all = held.length === 0 ? known.slice(0, 1) : held;
  if (all.length === 0) throw new SqlProblem(`there is no table in "${databaseName}".`);
  if (all.length > tablesMax)
    throw new SqlProblem(`"${databaseName}" has events in ${all.length} tables, more than ${tablesMax}.`, {
      suggestion: 'Name the tables.',
    });
  return all.map(({ database, name }) => `${database}.public.${name}`);
}

/** What the caller wrote stands in parentheses and in lines of its own, so that messages about it show nothing else. */
export const written = (text: string): string => `(\n${text}\n)`;

const linesIn = (text: string): readonly string[] => text.split('\n');

/**
 * Where a place of a statement lies in a text that was put into it by `written`; the end of the text when the statement
 * broke off there, undefined when the place is elsewhere.
 */
export function placeInWritten(sql: string, text: string, { line, column }: Place): Place | undefined {
  const lines = linesIn(text);
  for (let at = sql.indexOf(written(text)); at >= 0; at = sql.indexOf(written(text), at + 1)) {
    const own = line - linesIn(sql.slice(0, at)).length;
    if (own >= 1 && own <= lines.length) return { line: own, column };
    if (own === lines.length + 1) return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  }
  return undefined;
}

function select(catalogue: Catalogue, selection: EventSelection, columns: string): string {
  const { where, from, to } = selection;
  const range = `p_event_time BETWEEN ${sqlText(from.toISOString())} AND ${sqlText(to.toISOString())}`;
  const condition = where.trim() === '' ? '' : ` AND ${written(where)}`;
  return tablesOf(catalogue, selection)
    .map((table) => `SELECT ${columns} FROM ${table} WHERE ${range}${condition}`)
    .join('\nUNION ALL\n');
}

/** Widths of bars that people read easily, in seconds. */
const widths = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];

/** The narrowest readable bar with which the range has at most so many. */
function bucketSeconds(from: Date, to: Date, bucketsMax: number): number {
  const seconds = Math.max(1, (to.getTime() - from.getTime()) / 1000);
  const fits = (width: number): boolean => seconds / width <= bucketsMax;
  return widths.find(fits) ?? Math.ceil(seconds / bucketsMax / 86_400) * 86_400;
}

/** Events over time, by log type: rows `bucket_start`, `log_type`, `event_count`; a bar without events has no row. */
export function histogramSql(catalogue: Catalogue, selection: EventSelection, bucketsMax: number): string {
  const width = bucketSeconds(selection.from, selection.to, bucketsMax);
  const events = select(catalogue, selection, 'p_event_time, p_log_type');
  return `SELECT time_slice(p_event_time, ${width}, 'SECOND') AS bucket_start, p_log_type AS log_type, count(*) AS event_count
FROM (
${events}
)
GROUP BY 1, 2 ORDER BY 1, 2`;
}

/**
 * What fields hold, the most frequent values first: rows `field`, `value`, `event_count`, `first_seen`, `last_seen`, and
 * on each the number of events that have the field and of its different values.
 */
export function fieldStatisticsSql(
  catalogue: Catalogue,
  selection: EventSelection,
  fields: readonly string[],
  valuesMax: number,
): string {
  const columns = fields.map((field, index) => `${written(field)}::string AS f${index}`).join(', ');
  const events = select(catalogue, selection, `p_event_time, ${columns}`);
  const parts = fields.map(
    (field, index) => `SELECT ${sqlText(field)} AS field, f${index} AS value, count(*) AS event_count,
  min(p_event_time) AS first_seen, max(p_event_time) AS last_seen
FROM events WHERE f${index} IS NOT NULL GROUP BY f${index}`,
  );
  return `WITH events AS (
${events}
), counted AS (
${parts.join('\nUNION ALL\n')}
), ranked AS (
SELECT *, sum(event_count) OVER (PARTITION BY field) AS events_with_field,
  count(*) OVER (PARTITION BY field) AS distinct_values,
  row_number() OVER (PARTITION BY field ORDER BY event_count DESC, value) AS place
FROM counted
)
SELECT field, value, event_count, first_seen, last_seen, events_with_field, distinct_values
FROM ranked WHERE place <= ${valuesMax} ORDER BY field, place`;
}
