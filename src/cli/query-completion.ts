/** What can be named in a query, as far as it is known yet. */
export type Names = {
  /** `database.public.table`. */
  readonly tables: readonly string[];
  /** Columns by the full name of their table. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
};

const words = [
  ...['select', 'from', 'where', 'group by', 'having', 'order by', 'limit', 'qualify', 'with', 'join', 'left join'],
  ...['union all', 'distinct', 'count(*)', 'like', 'ilike', 'ilike any', 'rlike', 'between', 'is null', 'is not null'],
  ...['lateral flatten(input => ', 'array_contains(', 'array_agg(', 'count_if(', 'date_trunc(', 'time_slice('],
  ...["p_occurs_since('1 day')", 'p_occurs_between(', 'p_occurs_around(', 'p_current_timestamp()'],
];

const bare = (table: string): string => table.split('.').at(-1) ?? '';

/** Full names of the tables that a text names, fully or by the last part alone. */
export function tablesIn(text: string, tables: readonly string[]): readonly string[] {
  const named = new Set((text.toLowerCase().match(/[\w.]+/g) ?? []).flatMap((word) => [word, bare(word)]));
  return tables.filter((table) => named.has(table) || (table.startsWith('panther_logs.') && named.has(bare(table))));
}

const most = 200;

/**
 * What the word before the cursor may go on as: tables by any part of their name, columns of the tables in the text,
 * words of the language. Returns them with the part that they replace.
 */
export function completionsOf(text: string, names: Names): readonly [readonly string[], string] {
  const typed = /[\w.]*$/.exec(text)?.[0] ?? '';
  const prefix = typed.toLowerCase();
  // After an alias and a dot there are columns only.
  const alias = /^\w+\.(\w*)$/.exec(typed);
  const columns = tablesIn(text, names.tables).flatMap((table) => names.columns.get(table) ?? []);
  const unique = [...new Set(columns)].toSorted();
  if (alias !== null && !names.tables.some((table) => table.startsWith(prefix))) {
    const start = alias[1]?.toLowerCase() ?? '';
    const head = typed.slice(0, typed.length - start.length);
    const found = unique.filter((name) => name.toLowerCase().startsWith(start)).map((name) => `${head}${name}`);
    return [found.slice(0, most), typed];
  }
  if (prefix === '') return [[], typed];
  const candidates = [
    ...unique,
    ...names.tables.filter((table) => table.startsWith(prefix)),
    ...names.tables.filter((table) => table.startsWith('panther_logs.')).map(bare),
    ...words,
  ];
  const found = candidates.filter((name) => name.toLowerCase().startsWith(prefix));
  return [[...new Set(found)].slice(0, most), typed];
}
