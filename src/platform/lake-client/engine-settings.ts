/**
 * Settings that go with every statement because the embedded engine, ClickHouse servers and their cloud differ in what
 * they do without them. Whatever is found to differ is said here and nowhere else; `npm run compat` is the judge.
 */

/** For every statement: a dot inside a key of an object is part of the key and no step into another object. */
export const sharedSettings = { json_type_escape_dots_in_keys: 1 } as const;

/** For inserts of NDJSON. */
export const writeSettings = {
  // Newer servers gather small inserts by default, and acknowledge before the rows are there.
  async_insert: 0,
  // The token of a load is worth something only while inserts are compared; profiles of servers may switch that off.
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // ISO 8601 with a zone is refused by the basic parser, the default of servers.
  date_time_input_format: 'best_effort',
  // A column that is missing must be found, not silently dropped; the default differs by version and by profile.
  input_format_skip_unknown_fields: 0,
  // Texts inside objects that look like times stay the texts they were.
  input_format_try_infer_dates: 0,
  input_format_try_infer_datetimes: 0,
  // Half of a surrogate pair is bad Unicode but no reason to lose the row.
  input_format_json_throw_on_bad_escape_sequence: 0,
} as const;

/** For reads. Numbers of 64 bits come as numbers, times in ISO 8601, on every version. */
export const readSettings = {
  output_format_json_quote_64bit_integers: 0,
  date_time_output_format: 'iso',
} as const;
