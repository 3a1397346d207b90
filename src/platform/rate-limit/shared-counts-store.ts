import type { Database } from '#platform/postgres';
import type { Increment, SharedCounts } from './rate-limiter.ts';

const cleanEvery = 60;

type CountRow = { key: string; window_start: Date; requests: string };

/** Counts in Postgres, one statement for all keys of a process; windows that are long over are deleted on the way. */
export function sharedCounts(database: Database): SharedCounts {
  let calls = 0;
  return {
    add: (increments) =>
      database.withSystem('limits of requests belong to no tenant', async (tx) => {
        const sorted = increments.toSorted((a, b) => (a.key < b.key ? -1 : 1));
        const rows = await tx.query<CountRow>(
          `INSERT INTO request_counts AS c (key, window_start, requests)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::bigint[])
           ON CONFLICT (key, window_start) DO UPDATE SET requests = c.requests + excluded.requests
           RETURNING key, window_start, requests`,
          [
            sorted.map(({ key }) => key),
            sorted.map(({ windowStart }) => windowStart),
            sorted.map(({ requests }) => requests),
          ],
        );
        calls += 1;
        if (calls % cleanEvery === 0)
          await tx.execute(`DELETE FROM request_counts WHERE window_start < now() - interval '1 hour'`, []);
        return rows.map((row): Increment => ({
          key: row.key,
          windowStart: row.window_start,
          requests: Number(row.requests),
        }));
      }),
  };
}
