import { sharedSettings } from '#platform/lake-client';

/** What one query may use. */
export type QueryLimits = {
  readonly timeoutSeconds: number;
  readonly memoryBytesMax: number;
  readonly rowsMax: number;
  readonly resultBytesMax: number;
};

export const defaultLimits: QueryLimits = {
  timeoutSeconds: 300,
  memoryBytesMax: 1_500_000_000,
  rowsMax: 1_000_000,
  resultBytesMax: 100 * 1024 * 1024,
};

/** Settings of the engine for a query of a user: what it may use, and the meaning that the plan relies on. */
export function engineSettings({
  timeoutSeconds,
  memoryBytesMax,
}: QueryLimits): Readonly<Record<string, string | number>> {
  return {
    ...sharedSettings,
    max_execution_time: timeoutSeconds,
    max_memory_usage: String(memoryBytesMax),
    max_query_size: 4_000_000,
    max_ast_elements: 200_000,
    max_expanded_ast_elements: 2_000_000,
    max_subquery_depth: 200,
    join_use_nulls: 1,
    enable_positional_arguments: 0,
    transform_null_in: 0,
    cast_keep_nullable: 0,
    allow_experimental_correlated_subqueries: 1,
    output_format_json_quote_64bit_integers: 0,
    output_format_json_quote_denormals: 0,
    date_time_output_format: 'simple',
    // Last: nothing after it can be set.
    readonly: 2,
  };
}
