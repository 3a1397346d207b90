import type { Tx } from '#platform/postgres';

/** Several beats of a worker: one that was not heard of for so long is gone. */
const forgottenAfterSeconds = 20;

export async function seeWorker(tx: Tx, workerId: string, places: number): Promise<void> {
  await tx.execute(
    `INSERT INTO worker_places (worker_id, places) VALUES ($1, $2)
     ON CONFLICT (worker_id) DO UPDATE SET places = excluded.places, seen_at = now()`,
    [workerId, places],
  );
  await tx.execute(`DELETE FROM worker_places WHERE seen_at < now() - interval '1 hour'`);
}

/** Figures of a worker by name; whole numbers. */
export type WorkerFigures = Readonly<Record<string, number>>;

export async function noteFigures(tx: Tx, workerId: string, figures: WorkerFigures): Promise<void> {
  await tx.execute('UPDATE worker_places SET figures = $2 WHERE worker_id = $1', [workerId, JSON.stringify(figures)]);
}

/** What workers heard of lately said about themselves. */
export async function listFigures(
  tx: Tx,
): Promise<readonly { readonly workerId: string; readonly figures: WorkerFigures }[]> {
  const rows = await tx.query<{ worker_id: string; figures: WorkerFigures }>(
    `SELECT worker_id, figures FROM worker_places WHERE seen_at > now() - make_interval(secs => $1) ORDER BY worker_id`,
    [forgottenAfterSeconds],
  );
  return rows.map((row) => ({ workerId: row.worker_id, figures: row.figures }));
}

export async function forgetWorker(tx: Tx, workerId: string): Promise<void> {
  await tx.execute('DELETE FROM worker_places WHERE worker_id = $1', [workerId]);
}

/** Workers heard of lately, and how many batches they take together. */
export async function countPlaces(tx: Tx): Promise<{ readonly workers: number; readonly places: number }> {
  const rows = await tx.query<{ workers: number; places: number }>(
    `SELECT count(*)::int AS workers, coalesce(sum(places), 0)::int AS places FROM worker_places
     WHERE seen_at > now() - make_interval(secs => $1)`,
    [forgottenAfterSeconds],
  );
  return rows[0] ?? { workers: 0, places: 0 };
}
