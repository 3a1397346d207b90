/** Rows that a search must find and rows that it must not, and how its result then looks. */
export type Row = Readonly<Record<string, unknown>>;

/** One lake and what the search gives on it. Expected rows name the columns that matter; their order does not count. */
export type Scenario = { readonly rows: Readonly<Record<string, readonly Row[]>>; readonly expect: readonly Row[] };

export type Seeds = Readonly<Record<string, readonly Scenario[]>>;

/** `count` copies of a row, each changed by its number. */
export const times = (count: number, make: (index: number) => Row): readonly Row[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A search that gives whole rows: `yes` must come back, `no` must not. Other tables may be needed beside it. */
export function picks(
  logType: string,
  yes: readonly Row[],
  no: readonly Row[],
  others: Scenario['rows'] = {},
): readonly Scenario[] {
  const marked = yes.map((row, index) => ({ ...row, p_row_id: `yes-${index}` }));
  const rest = no.map((row, index) => ({ ...row, p_row_id: `no-${index}` }));
  return [
    { rows: { [logType]: [...rest, ...marked], ...others }, expect: marked.map(({ p_row_id }) => ({ p_row_id })) },
  ];
}

/** A search that gives rows of its own making. */
export const gives = (rows: Scenario['rows'], expect: readonly Row[]): readonly Scenario[] => [{ rows, expect }];
