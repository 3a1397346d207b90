import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readClientSettings } from '#platform/config';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Command, CommandError, type CommandIo } from './command.ts';
import { runPrompt } from './query-prompt.ts';
import { csvLine, type ResultRow, tableLines } from './query-output.ts';

const state = z.object({
  id: z.string(),
  status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  message: z.string(),
  progress: z.object({ rowsRead: z.number(), bytesRead: z.number(), rowCount: z.number() }),
});
const stateFields = 'id status message progress { rowsRead bytesRead rowCount }';

const results = z.object({
  edges: z.array(z.object({ node: z.record(z.string(), z.unknown()) })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  columnInfo: z.object({ order: z.array(z.string()) }),
  stats: z.object({ bytesScanned: z.number(), executionTime: z.number(), rowCount: z.number() }),
});
type Page = z.output<typeof results>;

type Format = 'table' | 'json' | 'csv';

type Manner = {
  readonly database: string;
  readonly dialect?: string | undefined;
  readonly timeout: string;
  readonly format: Format;
};

const ask = async (client: ApiClient, sql: string, { database, dialect }: Manner): Promise<string> =>
  (
    await client.ask(
      'mutation executeDataLakeQuery($input: ExecuteDataLakeQueryInput!) { executeDataLakeQuery(input: $input) { id } }',
      { input: { sql, databaseName: database, ...(dialect === undefined ? {} : { dialect }) } },
      z.object({ executeDataLakeQuery: z.object({ id: z.string() }) }),
    )
  ).executeDataLakeQuery.id;

const look = async (client: ApiClient, id: string) =>
  (
    await client.ask(
      `query dataLakeQuery($id: ID!) { dataLakeQuery(id: $id) { ${stateFields} } }`,
      { id },
      z.object({ dataLakeQuery: state }),
    )
  ).dataLakeQuery;

const cancel = (client: ApiClient, id: string) =>
  client.ask(
    'mutation cancelDataLakeQuery($input: CancelDataLakeQueryInput!) { cancelDataLakeQuery(input: $input) { id } }',
    { input: { id } },
    z.object({ cancelDataLakeQuery: z.object({ id: z.string() }) }),
  );

async function readPage(client: ApiClient, id: string, cursor: string | null): Promise<Page> {
  const answer = await client.ask(
    `query results($id: ID!, $input: DataLakeQueryResultsInput) { dataLakeQuery(id: $id) { results(input: $input) {
      edges { node } pageInfo { hasNextPage endCursor } columnInfo { order } stats { bytesScanned executionTime rowCount } } } }`,
    { id, input: { cursor, pageSize: 999 } },
    z.object({ dataLakeQuery: z.object({ results: results.nullable() }) }),
  );
  if (answer.dataLakeQuery.results === null) throw new CommandError(`The query ${id} has no result.`);
  return answer.dataLakeQuery.results;
}

const pollMsMax = 1000;

/** Waits for the end of a query, telling how far it is; after the time given, or when told so, it is cancelled. */
async function untilOver(
  client: ApiClient,
  id: string,
  { timeoutSeconds, signal }: { readonly timeoutSeconds: number; readonly signal: AbortSignal },
  io: CommandIo,
) {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, pollMsMax)) {
    const found = await look(client, id);
    if (found.status !== 'running') return found;
    const { rowsRead, bytesRead, rowCount } = found.progress;
    io.progress?.(`${rowsRead} rows and ${Math.round(bytesRead / 1e6)} MB read, ${rowCount} rows found`);
    if (signal.aborted) {
      await cancel(client, id);
      throw new CommandError('The query was cancelled.');
    }
    if (performance.now() > deadline) {
      await cancel(client, id);
      throw new CommandError(
        `The query was not over after ${timeoutSeconds} s and was cancelled. --timeout gives it longer.`,
      );
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** All rows, a page at a time. A table shows the first page only, since its columns are as wide as their widest cell. */
async function printResult(client: ApiClient, id: string, format: Format, { say }: CommandIo): Promise<void> {
  let page = await readPage(client, id, null);
  const columns = page.columnInfo.order;
  if (format === 'csv') say(csvLine(columns));
  for (;;) {
    const rows = page.edges.map(({ node }): ResultRow => node);
    if (format === 'csv') for (const row of rows) say(csvLine(columns.map((name) => row[name])));
    if (format === 'json') for (const row of rows) say(JSON.stringify(row));
    if (format === 'table') for (const line of tableLines(columns, rows)) say(line);
    if (format === 'table' || !page.pageInfo.hasNextPage) break;
    page = await readPage(client, id, page.pageInfo.endCursor);
  }
  if (format !== 'table') return;
  const { rowCount, executionTime } = page.stats;
  const more = page.pageInfo.hasNextPage ? ` (the first ${page.edges.length} are shown; --format csv gives all)` : '';
  say(`${rowCount} ${rowCount === 1 ? 'row' : 'rows'} in ${executionTime} ms${more}`);
}

const entry = z.object({ id: z.string(), status: z.string(), startedAt: z.string(), sql: z.string() });

async function history(client: ApiClient, contains: string | undefined, { say }: CommandIo): Promise<void> {
  const { dataLakeQueries } = await client.ask(
    'query history($input: DataLakeQueriesInput) { dataLakeQueries(input: $input) { edges { node { id status startedAt sql } } } }',
    { input: { pageSize: 50, ...(contains === undefined ? {} : { contains }) } },
    z.object({ dataLakeQueries: z.object({ edges: z.array(z.object({ node: entry })) }) }),
  );
  for (const line of tableLines(
    ['startedAt', 'status', 'id', 'sql'],
    dataLakeQueries.edges.map(({ node }) => node),
  ))
    say(line);
}

const column = z.object({ name: z.string(), type: z.string().nullable(), description: z.string().nullable() });

/** Without a name: databases and their tables; with `database.table`: its columns. */
async function tables(client: ApiClient, name: string | undefined, { say }: CommandIo): Promise<void> {
  if (name?.includes('.')) {
    const parts = name.split('.');
    const { dataLakeDatabaseTable } = await client.ask(
      'query columns($input: DataLakeDatabaseTableInput!) { dataLakeDatabaseTable(input: $input) { columns { name type description } } }',
      { input: { databaseName: parts[0], tableName: parts.at(-1) } },
      z.object({ dataLakeDatabaseTable: z.object({ columns: z.array(column) }) }),
    );
    for (const line of tableLines(['name', 'type', 'description'], dataLakeDatabaseTable.columns)) say(line);
    return;
  }
  const { dataLakeDatabases } = await client.ask(
    '{ dataLakeDatabases { name description tables { name } } }',
    {},
    z.object({
      dataLakeDatabases: z.array(
        z.object({
          name: z.string(),
          description: z.string().nullable(),
          tables: z.array(z.object({ name: z.string() })),
        }),
      ),
    }),
  );
  for (const database of dataLakeDatabases.filter((item) => name === undefined || item.name === name)) {
    say(`${database.name}: ${database.description ?? ''}`);
    for (const table of database.tables) say(`  ${database.name}.public.${table.name}`);
  }
}

const callOf =
  'margay query <sql>|--file F|history [text]|tables [name]|cancel <id> [--database D] [--dialect snowflake|clickhouse] [--format table|json|csv] [--timeout S]';

function formatOf(text: string): Format {
  if (text === 'table' || text === 'json' || text === 'csv') return text;
  throw new CommandError(`There is no format "${text}". Choose table, json or csv.`);
}

const options = {
  database: { type: 'string', default: 'panther_logs' },
  dialect: { type: 'string' },
  file: { type: 'string' },
  format: { type: 'string', default: 'table' },
  json: { type: 'boolean', default: false },
  timeout: { type: 'string', default: '300' },
} as const;

/** Asks, waits and prints. Whoever ends the program meanwhile ends the query too. */
async function runStatement(
  client: ApiClient,
  sql: string,
  manner: Manner & { readonly signal: AbortSignal },
  io: CommandIo,
): Promise<void> {
  const id = await ask(client, sql, manner);
  const until = { timeoutSeconds: Number(manner.timeout), signal: manner.signal };
  const found = await untilOver(client, id, until, io).finally(() => io.progress?.(''));
  if (found.status !== 'succeeded') throw new CommandError(`The query ${found.status}: ${found.message}`);
  await printResult(client, found.id, manner.format, io);
  if (found.message !== '') io.progress?.(`${found.message}\n`);
}

/** A statement may begin with a comment, such as `-- pragma: clickhouse`, which is no option. */
const isStatement = (argument: string): boolean => /^--\s/.test(argument) || /^--.*\n/.test(argument);

/** `margay query`: asks the data lake and prints what it answers. */
export const queryCommand: Command = {
  name: 'query',
  usage: [
    [
      'query <sql>|--file F [--database D] [--dialect snowflake|clickhouse] [--format table|json|csv] [--timeout S]',
      'ask the data lake in SQL',
    ],
    ['query', 'ask one statement after the other at a prompt that completes names of tables and columns'],
    ['query history [text] | tables [name] | cancel <id>', 'what was asked, what can be asked, end a query'],
  ],
  async run(args, io) {
    const known = args.filter((argument) => !isStatement(argument));
    const { values, positionals } = parseArgs({ args: known, allowPositionals: true, options });
    const [first, second, ...more] = [...positionals, ...args.filter(isStatement)];
    const client = createApiClient(readClientSettings(io.environment));
    const format = values.json ? 'json' : formatOf(values.format);
    const { dialect } = values;
    if (dialect !== undefined && dialect !== 'snowflake' && dialect !== 'clickhouse')
      throw new CommandError(`There is no dialect "${dialect}". Choose snowflake or clickhouse.`);
    if (first === 'history' && more.length === 0) await history(client, second, io);
    else if (first === 'tables' && more.length === 0) await tables(client, second, io);
    else if (first === 'cancel' && second !== undefined && more.length === 0)
      io.say((await cancel(client, second)).cancelDataLakeQuery.id);
    else {
      const sql = values.file === undefined ? first : await readFile(values.file, 'utf8');
      if (second !== undefined || (sql === undefined && io.terminal === undefined))
        throw new CommandError(`Usage: ${callOf}`);
      const run = (statement: string, signal: AbortSignal) =>
        runStatement(client, statement, { ...values, format, signal }, io);
      if (sql === undefined) await runPrompt(client, io, run);
      else {
        const interrupt = new AbortController();
        const forget = io.onInterrupt?.(() => interrupt.abort());
        await run(sql, interrupt.signal).finally(forget);
      }
    }
    return 0;
  },
};
