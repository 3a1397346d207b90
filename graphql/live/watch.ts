import { setTimeout as sleep } from 'node:timers/promises';
import type { Alert } from '#alerts';
import type { Batch } from '#ingestion';
import type { GraphqlContext } from '../context.ts';

const intervalMs = 1000;
/** Rows may become visible a little after the time they carry. */
const lateMs = 5000;
/** So many looks, then the credential is checked again. */
const looksPerCheck = 30;

type Wanted = { readonly severities?: readonly string[] | null | undefined; readonly type?: string | null | undefined };

/** Waits between two looks; throws when the credential is no longer good. */
async function pause(looks: number, { recheck }: GraphqlContext): Promise<void> {
  await sleep(intervalMs);
  if (looks % looksPerCheck === 0) await recheck();
}

const later = (a: number, b: number): Date => new Date(Math.max(a, b));

/** Alerts raised from now on, each once, oldest first. */
export async function* newAlerts(wanted: Wanted, context: GraphqlContext): AsyncGenerator<Alert> {
  const startedAt = Date.now();
  let newest = startedAt;
  let seen: readonly string[] = [];
  for (let looks = 1; ; looks += 1) {
    const { alerts } = await context.services.alerts.list(context.actor, {
      createdAtAfter: later(startedAt, newest - lateMs),
      createdAtBefore: new Date(Date.now() + 60_000),
      severities: wanted.severities,
      type: wanted.type,
      sortDir: 'ascending',
      pageSize: 100,
    });
    const fresh = alerts.filter(({ id }) => !seen.includes(id));
    yield* fresh;
    seen = [...seen, ...fresh.map(({ id }) => id)].slice(-1000);
    newest = alerts.at(-1)?.createdAt.getTime() ?? newest;
    await pause(looks, context);
  }
}

const isOver = ({ state }: Batch): boolean => state === 'DONE' || state === 'FAILED';

/** The batch now and after each change, until it is over. */
export async function* batchProgress(id: string, context: GraphqlContext): AsyncGenerator<Batch> {
  let last = '';
  for (let looks = 1; ; looks += 1) {
    const batch = await context.services.batches.get(context.actor, { id });
    const now = JSON.stringify([batch.state, batch.counters, batch.error]);
    if (now !== last) yield batch;
    if (isOver(batch)) return;
    last = now;
    await pause(looks, context);
  }
}
