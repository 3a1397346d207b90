import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { ApiClient } from './api-client.ts';
import { CommandError, type CommandIo } from './command.ts';
import { completionsOf, type Names, tablesIn } from './query-completion.ts';

/** Names for completion, asked for once: tables at the start, columns when a text first names their table. */
function createNames(client: ApiClient) {
  const columns = new Map<string, readonly string[]>();
  let tables: Promise<readonly string[]> | undefined;
  const listTables = async (): Promise<readonly string[]> => {
    const { dataLakeDatabases } = await client.ask(
      '{ dataLakeDatabases { name tables { name } } }',
      {},
      z.object({
        dataLakeDatabases: z.array(z.object({ name: z.string(), tables: z.array(z.object({ name: z.string() })) })),
      }),
    );
    return dataLakeDatabases.flatMap(({ name, tables: found }) => found.map((table) => `${name}.public.${table.name}`));
  };
  const learn = async (table: string): Promise<void> => {
    const [databaseName, , tableName] = table.split('.');
    const { dataLakeDatabaseTable } = await client.ask(
      'query columns($input: DataLakeDatabaseTableInput!) { dataLakeDatabaseTable(input: $input) { columns { name } } }',
      { input: { databaseName, tableName } },
      z.object({ dataLakeDatabaseTable: z.object({ columns: z.array(z.object({ name: z.string() })) }) }),
    );
    columns.set(
      table,
      dataLakeDatabaseTable.columns.map(({ name }) => name),
    );
  };
  return {
    /** Names that may stand in this text. */
    async for(text: string): Promise<Names> {
      tables ??= listTables();
      const known = await tables;
      for (const table of tablesIn(text, known)) if (!columns.has(table)) await learn(table);
      return { tables: known, columns };
    },
  };
}

/** Reads statements until the input ends; each ends with a semicolon. Tab completes names of tables and columns. */
export async function runPrompt(
  client: ApiClient,
  { terminal, say }: CommandIo,
  run: (sql: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (terminal === undefined) throw new CommandError('Give a statement, or --file; only a terminal is asked for one.');
  const names = createNames(client);
  let text = '';
  const reader = createInterface({
    input: terminal.input,
    output: terminal.output,
    prompt: 'margay> ',
    historySize: 500,
    completer: (line: string, done: (error: Error | null, found: [string[], string]) => void) => {
      const whole = `${text}${line}`;
      names
        .for(whole)
        .then((known) => {
          const [found, typed] = completionsOf(whole, known);
          done(null, [[...found], typed]);
        })
        .catch(() => done(null, [[], line]));
    },
  });
  // The input may end while a statement runs.
  let isOpen = true;
  reader.once('close', () => (isOpen = false));
  const ready = (): void => {
    if (!isOpen) return;
    reader.setPrompt(text === '' ? 'margay> ' : '   ...> ');
    reader.prompt();
  };
  let running: AbortController | undefined;
  reader.on('SIGINT', () => {
    if (running !== undefined) return running.abort();
    text = '';
    ready();
  });
  say('SQL, ended by a semicolon; Tab completes names; Ctrl-C cancels; Ctrl-D ends.');
  ready();
  for await (const line of reader) {
    text += `${line}\n`;
    const isWhole = line.trimEnd().endsWith(';');
    const statement = text.trim().replace(/;$/, '').trim();
    if (isWhole && statement !== '') {
      running = new AbortController();
      await run(statement, running.signal).catch((error: unknown) => tell(error, say));
      running = undefined;
    }
    if (isWhole || statement === '') text = '';
    ready();
  }
}

/** What the person can mend is told, and the next statement is asked for. */
function tell(error: unknown, say: (line: string) => void): void {
  if (!(error instanceof CommandError)) throw error;
  say(error.message);
}
