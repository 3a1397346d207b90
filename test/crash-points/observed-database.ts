import pg from 'pg';
import type { StepObserver } from './journal.ts';

type Query = (this: pg.Client, ...args: unknown[]) => unknown;
type Result = { readonly command?: string; readonly rowCount?: number | null; readonly rows?: readonly object[] };

/** What a transaction has changed so far. */
type Session = { isOpen: boolean; readonly changes: Set<string> };

const sessions = new WeakMap<pg.Client, Session>();

function sessionOf(client: pg.Client): Session {
  const known = sessions.get(client) ?? { isOpen: false, changes: new Set() };
  sessions.set(client, known);
  return known;
}

const textOf = (query: unknown): string | undefined => {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || 'submit' in query) return undefined;
  return 'text' in query && typeof query.text === 'string' ? query.text : undefined;
};

const changePattern =
  /(?<!\bDO |\bFOR |\bKEY )\b(?:INSERT INTO|MERGE INTO|UPDATE|DELETE FROM|TRUNCATE|COPY)\s+(?:"?\w+"?\.)?"?(\w+)"?/gi;
const functionPattern = /^SELECT\s+(?:[\w\s,*]+\sFROM\s+)?(\w+)\(/i;
/** Functions of the engine and of the queues that change nothing; any other one counts. */
const readingFunction =
  /^(?:pg_\w+|set_config|current_setting|clock_timestamp|has_\w+|is_\w+|next_\w+|rate_limit_ttl|count|coalesce|exists|to_\w+)$/i;
/** Functions that change nothing when they answer with nothing. */
const takingFunction = /^(?:move_to_active|move_stalled_jobs_to_wait)$/;

const isNothing = (row: object): boolean => Object.values(row).every((value) => value === null);

/** What the statement changed: tables, or the function that did it. Nothing when it found nothing to change. */
function changesOf(text: string, values: unknown, { command, rowCount, rows = [] }: Result): readonly string[] {
  const plain = text.replaceAll(/--[^\n]*\n/g, '').trim();
  const isChange = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
  if (isChange && (rowCount ?? 0) === 0) return [];
  const changes = [...plain.matchAll(changePattern)].map(([, table = '']) => table);
  if (changes.length > 0 || isChange) return changes;
  const name = functionPattern.exec(plain)?.[1];
  if (name === undefined || readingFunction.test(name)) return [];
  if (takingFunction.test(name) && rows.every(isNothing)) return [];
  const queue = Array.isArray(values) && typeof values[0] === 'string' ? ` ${values[0]}` : '';
  return [`${name}${queue}`];
}

/** Tells of every transaction that changed something once it is committed, and of every statement without one. */
export function observeDatabase(happened: StepObserver, whoWaits: () => string | undefined): void {
  const query = pg.Client.prototype.query as unknown as Query;
  const ended = (session: Session, who: string | undefined): void => {
    const changes = [...session.changes].join(', ');
    session.isOpen = false;
    session.changes.clear();
    if (changes !== '') happened(`commits ${changes}`, who);
  };
  const observed: Query = function observed(...args) {
    const text = textOf(args[0]);
    if (text === undefined) return query.apply(this, args);
    const session = sessionOf(this);
    const [who, isCommit] = [whoWaits(), /^COMMIT\b/i.test(text)];
    if (/^\s*(?:BEGIN|ROLLBACK)\b/i.test(text)) {
      session.isOpen = /^\s*BEGIN/i.test(text);
      session.changes.clear();
      return query.apply(this, args);
    }
    const done = (result: Result): void => {
      for (const change of changesOf(text, args[1], result)) session.changes.add(change);
      if (!session.isOpen || isCommit) ended(session, who);
    };
    const callback = args.at(-1);
    if (typeof callback === 'function') {
      const answer = (error: unknown, result: Result): void => {
        if (error === null || error === undefined) done(result);
        (callback as (error: unknown, result: Result) => void)(error, result);
      };
      return query.apply(this, [...args.slice(0, -1), answer]);
    }
    return (query.apply(this, args) as Promise<Result>).then((result) => {
      done(result);
      return result;
    });
  };
  pg.Client.prototype.query = observed as unknown as typeof pg.Client.prototype.query;
}
