/** Small readings of the SQL that the client sends; all of it is written by this product. */

const formatTail = /\s+FORMAT\s+([A-Za-z]+)\s*;?\s*$/i;

/** Takes a trailing FORMAT clause off, since the engine is told the format beside the statement. */
export function splitFormat(sql: string, fallback: string): { readonly sql: string; readonly format: string } {
  const match = formatTail.exec(sql);
  if (match === null) return { sql: sql.replace(/\s*;?\s*$/, ''), format: fallback };
  return { sql: sql.slice(0, match.index), format: match[1] ?? fallback };
}

const insertHead = /^\s*INSERT\s+INTO\s+([A-Za-z0-9_.`]+)\s*(?:\(([^)]*)\))?\s*FORMAT\s+(JSONEachRow)\s*$/i;

/** Table and columns of an insert whose rows come beside it as NDJSON; undefined for any other statement. */
export function insertOf(
  sql: string,
): { readonly table: string; readonly columns?: readonly string[]; readonly format: string } | undefined {
  const match = insertHead.exec(sql);
  if (match === null) return undefined;
  const columns = match[2]?.split(',').map((name) => name.trim().replaceAll('`', ''));
  return {
    table: match[1]?.replaceAll('`', '') ?? '',
    format: 'JSONEachRow',
    ...(columns === undefined ? {} : { columns }),
  };
}

/** URL parameters that are part of the HTTP protocol and no settings of the engine. */
const protocolNames = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'role',
  'user',
  'password',
  'compress',
  'decompress',
  'enable_http_compression',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'buffer_size',
]);

/** Settings of a request, names checked. */
export function settingStatements(
  parameters: URLSearchParams,
): readonly { readonly name: string; readonly value: string }[] {
  return [...parameters]
    .filter(([name]) => !protocolNames.has(name) && !name.startsWith('param_') && /^[a-z0-9_]+$/.test(name))
    .map(([name, value]) => ({ name, value }));
}

/** Statements that set the bound values of a request on its own connection. */
export function parameterStatements(parameters: URLSearchParams): readonly string[] {
  return [...parameters]
    .filter(([name]) => /^param_[A-Za-z0-9_]+$/.test(name))
    .map(([name, value]) => `SET ${name} = '${value.replaceAll(/[\\']/g, '\\$&')}'`);
}
