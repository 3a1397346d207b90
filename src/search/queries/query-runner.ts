import type { QueryEngine } from '#lake';
import type { Clock } from '#platform/clock';
import { QueryStopped } from '#platform/lake-client';
import type { Log } from '#platform/log';
import type { ObjectStore } from '#platform/objects';
import type { Database } from '#platform/postgres';
import { engineSettings, type QueryLimits } from '../fence/limits.ts';
import { rowsPerPiece } from './lake-query.ts';
import { failureMessage } from './query-message.ts';
import { putPiece } from './result-store.ts';
import {
  endQuery,
  keepQuery,
  type Progress,
  type QueryEnd,
  returnQuery,
  type RunLimits,
  takeQuery,
  type TakenQuery,
} from './run-store.ts';

type Deps = {
  readonly database: Database;
  readonly engine: QueryEngine;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: QueryLimits;
  /** Queries that this process runs at once. */
  readonly concurrency: number;
  readonly runLimits?: RunLimits;
};

const defaultRunLimits: RunLimits = { perTenant: 4, perIssuer: 2, leaseSeconds: 15, attemptsMax: 3 };
const beatMs = 1000;
const pollMs = 1000;

/** Why a run is aborted when this process ends. */
const stopping = Symbol('stopping');

class ResultTooLarge extends Error {
  override readonly name = 'ResultTooLarge';
}

const nothing: Progress = { readRows: 0, readBytes: 0, rowCount: 0, resultBytes: 0 };

type Counts = { -readonly [Key in keyof Progress]: number };

/** Reads the answer to its end and stores it piece by piece; no more than one piece is held. */
async function storeAnswer(deps: Deps, query: TakenQuery, counts: Counts, signal: AbortSignal): Promise<void> {
  const { limits, objects } = deps;
  let waiting: string[] = [];
  let piece = 0;
  const flush = async (lines: readonly string[]): Promise<void> => {
    await putPiece(objects, query.tenantId, query.id, piece, lines);
    piece += 1;
  };
  for await (const lines of deps.engine.lines(query.statement, {
    queryId: query.id,
    tables: query.reads,
    settings: engineSettings(limits),
    signal,
  })) {
    for (const line of lines) {
      if (line === '') continue;
      waiting.push(line);
      counts.rowCount += 1;
      counts.resultBytes += line.length;
    }
    if (counts.resultBytes > limits.resultBytesMax) throw new ResultTooLarge();
    while (waiting.length >= rowsPerPiece) {
      await flush(waiting.slice(0, rowsPerPiece));
      waiting = waiting.slice(rowsPerPiece);
    }
  }
  if (waiting.length > 0) await flush(waiting);
}

function messageOf({ rowCount }: Counts, { rowsMax }: QueryLimits): string {
  return rowCount < rowsMax ? '' : `Only the first ${rowsMax} rows are kept. Use LIMIT, or group the rows.`;
}

type Ending = Pick<QueryEnd, 'state' | 'message'>;

function endingOf(error: unknown, isCancelled: boolean, limits: QueryLimits): Ending {
  if (isCancelled) return { state: 'CANCELLED', message: 'Cancelled.' };
  if (error instanceof ResultTooLarge)
    return {
      state: 'FAILED',
      message: `The result is larger than ${Math.round(limits.resultBytesMax / 1024 / 1024)} MiB. Name the columns you need, or use LIMIT.`,
    };
  return { state: 'FAILED', message: failureMessage(error, limits) };
}

/** Runs one query to its end, telling every second that it is alive and looking whether somebody wants it ended. */
async function runQuery(
  deps: Deps,
  runLimits: RunLimits,
  query: TakenQuery,
  controller: AbortController,
): Promise<void> {
  const { database, log } = deps;
  const counts: Counts = { ...nothing };
  let isCancelled = false;
  const beat = async (): Promise<void> => {
    const seen = await deps.engine.progress(query.id).catch(() => undefined);
    counts.readRows = Math.max(counts.readRows, seen?.readRows ?? 0);
    counts.readBytes = Math.max(counts.readBytes, seen?.readBytes ?? 0);
    isCancelled ||= await database.withTenant(query.tenantId, (tx) =>
      keepQuery(tx, query.id, counts, runLimits.leaseSeconds),
    );
    if (isCancelled) controller.abort();
  };
  const timer = setInterval(
    () => void beat().catch((error: unknown) => log.warn('query_beat_failed', { queryId: query.id, error })),
    beatMs,
  );
  let ending: Ending;
  try {
    await storeAnswer(deps, query, counts, controller.signal);
    ending = { state: 'SUCCEEDED', message: messageOf(counts, deps.limits) };
  } catch (error) {
    if (controller.signal.reason === stopping)
      return await database.withTenant(query.tenantId, (tx) => returnQuery(tx, query.id));
    controller.abort();
    isCancelled ||= await database.withTenant(query.tenantId, (tx) =>
      keepQuery(tx, query.id, counts, runLimits.leaseSeconds),
    );
    ending = endingOf(error, isCancelled, deps.limits);
    if (ending.state === 'FAILED')
      log.warn('query_failed', {
        tenantId: query.tenantId,
        queryId: query.id,
        code: error instanceof QueryStopped ? error.code : 0,
        error,
      });
  } finally {
    clearInterval(timer);
  }
  await database.withTenant(query.tenantId, (tx) =>
    endQuery(tx, query.id, { ...ending, at: deps.clock.now() }, counts),
  );
}

/** Ends a query whose process died too often: it may be the query that kills it. */
const giveUp = ({ database, clock }: Deps, { tenantId, id }: TakenQuery): Promise<void> =>
  database.withTenant(tenantId, (tx) =>
    endQuery(
      tx,
      id,
      { state: 'FAILED', message: 'The process that ran it ended, three times. Narrow the query.', at: clock.now() },
      nothing,
    ),
  );

/**
 * Runs waiting queries until stopped: fair between tenants, within limits per tenant and per person. A query whose
 * process died is taken by another one and tried again.
 */
export function startQueryRunner(deps: Deps): { stop(): Promise<void> } {
  const { database, log, runLimits = defaultRunLimits } = deps;
  const running = new Map<string, { readonly controller: AbortController; readonly done: Promise<void> }>();
  let isStopped = false;
  const start = (query: TakenQuery): void => {
    const controller = new AbortController();
    const work =
      query.attempts > runLimits.attemptsMax ? giveUp(deps, query) : runQuery(deps, runLimits, query, controller);
    const done = work
      .catch((error: unknown) => log.error('query_not_ended', { queryId: query.id, error }))
      .finally(() => {
        running.delete(query.id);
        void fill();
      });
    running.set(query.id, { controller, done });
  };
  let isFilling = false;
  const fill = async (): Promise<void> => {
    if (isFilling || isStopped) return;
    isFilling = true;
    try {
      while (!isStopped && running.size < deps.concurrency) {
        const query = await database.withSystem('queries of all tenants are run', (tx) => takeQuery(tx, runLimits));
        if (query === undefined) break;
        start(query);
      }
    } catch (error) {
      log.warn('query_not_taken', { error });
    } finally {
      isFilling = false;
    }
  };
  // A notice that names a query asks for its end; the second that follows would show it too.
  const hear = (payload: string): void => {
    running.get(payload)?.controller.abort();
    void fill();
  };
  const listening = database.listen('lake_queries', hear);
  const timer = setInterval(() => void fill(), pollMs);
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await (
        await listening
      )();
      for (const { controller } of running.values()) controller.abort(stopping);
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
