import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { SqlProblem } from '../language/sql-problem.ts';

const timeoutMs = 5000;
const startTimeoutMs = 30_000;

const answer = z.object({
  isReady: z.boolean().optional(),
  id: z.number().optional(),
  statements: z.array(z.unknown()).optional(),
  error: z.string().optional(),
  isBroken: z.boolean().optional(),
});
type Answer = z.output<typeof answer>;

const tooDeep =
  'The statement is nested too deeply or has too long a chain of operators. Use IN (…) for long lists, or split the query.';

type Waiting = { readonly resolve: (value: Answer) => void; readonly timer: NodeJS.Timeout };

/** One parser thread; it is replaced when it broke or took too long. */
function createThread() {
  let worker: Worker | undefined;
  let ready: Promise<void> | undefined;
  let nextId = 0;
  const waiting = new Map<number, Waiting>();
  const discard = (): void => {
    const old = worker;
    worker = undefined;
    ready = undefined;
    for (const { resolve, timer } of waiting.values()) {
      clearTimeout(timer);
      resolve({ error: tooDeep, isBroken: true });
    }
    waiting.clear();
    void old?.terminate();
  };
  const receive = (message: unknown, started: () => void): void => {
    const parsed = answer.parse(message);
    if (parsed.isReady) return started();
    const entry = waiting.get(parsed.id ?? -1);
    waiting.delete(parsed.id ?? -1);
    clearTimeout(entry?.timer);
    entry?.resolve(parsed);
    if (parsed.isBroken) discard();
  };
  const start = (): Promise<void> => {
    const fresh = new Worker(new URL('parser-worker.ts', import.meta.url), { execArgv: [], env: {} });
    worker = fresh;
    fresh.unref();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The SQL parser did not start.')), startTimeoutMs);
      const settle = (done: () => void) => () => {
        clearTimeout(timer);
        done();
      };
      fresh.on('message', (message) => receive(message, settle(resolve)));
      fresh.on('error', () => worker === fresh && discard());
      fresh.on(
        'exit',
        settle(() => reject(new Error('The SQL parser ended.'))),
      );
    });
  };
  return async (sql: string): Promise<Answer> => {
    ready ??= start();
    await ready.catch((error: unknown) => {
      discard();
      throw error;
    });
    const id = nextId++;
    return new Promise<Answer>((resolve) => {
      const timer = setTimeout(discard, timeoutMs);
      waiting.set(id, { resolve, timer });
      worker?.postMessage({ id, sql });
    });
  };
}

let thread: ReturnType<typeof createThread> | undefined;

/** `… at Line: 3, Column: 21` at the end of what the parser says. */
const placePattern = /^(?:sql parser error: )?(.*?)(?: at Line: (\d+), Column: (\d+))?\.?$/s;

function problemOf(message: string): SqlProblem {
  const [, what = message, line, column] = placePattern.exec(message) ?? [];
  if (/recursion limit|memory access|unreachable/.test(what)) return new SqlProblem(tooDeep);
  const place = line === undefined || column === undefined ? undefined : { line: Number(line), column: Number(column) };
  return new SqlProblem(`syntax error: ${what.charAt(0).toLowerCase()}${what.slice(1)}`, { place });
}

/** Statements of the text as the parser sees them. Throws SqlProblem with the place of a syntax error. */
export async function parseStatements(sql: string): Promise<readonly unknown[]> {
  thread ??= createThread();
  const { statements, error } = await thread(sql);
  if (statements === undefined) throw problemOf(error ?? 'the text cannot be read');
  return statements;
}
