import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { DomainError } from '#platform/errors';
import { SqlProblem } from '../language/sql-problem.ts';
import { unreadable } from './clickhouse/unreadable.ts';
import type { DialectName } from './dialect.ts';

/** A statement of the largest size takes a fraction of a second; a busy machine gets much more. */
const timeoutMs = 20_000;
const startTimeoutMs = 60_000;

const answerShape = z.object({
  isReady: z.boolean().optional(),
  id: z.number().optional(),
  statements: z.array(z.unknown()).optional(),
  error: z.string().optional(),
  isBroken: z.boolean().optional(),
});
type Answer = z.output<typeof answerShape>;

const tooDeep =
  'The statement is nested too deeply or has too long a chain of operators. Use IN (…) for long lists, or split the query.';

const busy = (): DomainError =>
  new DomainError('unavailable', {
    publicMessage: 'The statement could not be read in time. Try again in a moment.',
    retryable: true,
    retryAfterSeconds: 5,
  });

/** The next message of the thread that is meant for the caller. */
function nextAnswer(worker: Worker, milliseconds: number, isWanted: (answer: Answer) => boolean): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      worker.off('message', hear).off('error', fail).off('exit', fail);
      settle();
    };
    const hear = (message: unknown): void => {
      const answer = answerShape.parse(message);
      if (isWanted(answer)) finish(() => resolve(answer));
    };
    const fail = (): void => finish(() => reject(busy()));
    const timer = setTimeout(fail, milliseconds);
    worker.on('message', hear).on('error', fail).on('exit', fail);
  });
}

/** One parser thread, which reads one statement at a time; it is replaced when it broke or took too long. */
function createThread() {
  let current: Promise<Worker> | undefined;
  let nextId = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const start = async (): Promise<Worker> => {
    const worker = new Worker(new URL('parser-worker.ts', import.meta.url), { execArgv: [], env: {} });
    worker.unref();
    await nextAnswer(worker, startTimeoutMs, ({ isReady }) => isReady === true);
    return worker;
  };
  const discard = (): void => {
    const old = current;
    current = undefined;
    void old?.then((worker) => worker.terminate()).catch(() => undefined);
  };
  const read = async (sql: string, dialect: DialectName): Promise<Answer> => {
    try {
      current ??= start();
      const worker = await current;
      const id = nextId++;
      const answer = nextAnswer(worker, timeoutMs, (given) => given.id === id);
      worker.postMessage({ id, sql, dialect });
      const given = await answer;
      if (given.isBroken) discard();
      return given;
    } catch (error) {
      discard();
      throw error;
    }
  };
  return (sql: string, dialect: DialectName): Promise<Answer> => {
    const mine = turn.then(() => read(sql, dialect));
    turn = mine.catch(() => undefined);
    return mine;
  };
}

let thread: ReturnType<typeof createThread> | undefined;

/** `… at Line: 3, Column: 21` at the end of what the parser says. */
const placePattern = /^(?:sql parser error: )?(.*?)(?: at Line: (\d+), Column: (\d+))?\.?$/s;

function problemOf(message: string, isBroken: boolean, suggestion: string | undefined): SqlProblem {
  const [, what = message, line, column] = placePattern.exec(message) ?? [];
  if (isBroken || what.includes('recursion limit')) return new SqlProblem(tooDeep);
  const place = line === undefined || column === undefined ? undefined : { line: Number(line), column: Number(column) };
  return new SqlProblem(`syntax error: ${what.charAt(0).toLowerCase()}${what.slice(1)}`, { place, suggestion });
}

/** Statements of the text as the parser sees them. Throws SqlProblem with the place of a syntax error. */
export async function parseStatements(sql: string, dialect: DialectName): Promise<readonly unknown[]> {
  thread ??= createThread();
  const { statements, error, isBroken = false } = await thread(sql, dialect);
  if (statements === undefined)
    throw problemOf(
      error ?? 'the text cannot be read',
      isBroken,
      dialect === 'clickhouse' ? unreadable(sql) : undefined,
    );
  return statements;
}
