import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentile } from './benchmark.ts';

/** One kind of request, sent again and again. */
export type Request = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: () => string;
  /** Text that a good answer holds. */
  readonly holds: string;
};

export type Load = {
  readonly requestsPerSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly refused: number;
};

const connectionsMax = 32;

async function once(pool: Pool, { path, headers, body, holds }: Request): Promise<boolean> {
  const answer = await pool.request({ path, method: 'POST', headers, body: body() });
  const text = await answer.body.text();
  return answer.statusCode === 200 && text.includes(holds);
}

const rounded = (value: number | null): number | null => (value === null ? null : Math.round(value * 100) / 100);

function loadOf(latencies: readonly number[], refused: number, seconds: number): Load {
  return {
    requestsPerSecond: Math.round(latencies.length / seconds),
    p50Ms: rounded(percentile(latencies, 0.5)),
    p99Ms: rounded(percentile(latencies, 0.99)),
    refused,
  };
}

/** As fast as so many connections can, each waiting for its answer. */
export async function closedLoop(url: string, request: Request, seconds: number, atOnce: number): Promise<Load> {
  const pool = new Pool(url, { connections: atOnce, pipelining: 1 });
  const latencies: number[] = [];
  let refused = 0;
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < end) {
        const startedAt = performance.now();
        if (!(await once(pool, request))) refused += 1;
        latencies.push(performance.now() - startedAt);
      }
    }),
  );
  await pool.close();
  return loadOf(latencies, refused, seconds);
}

/** At a fixed rate, whatever the answers do; latency counts from the moment at which a request was due. */
export async function openLoop(url: string, request: Request, seconds: number, rate: number): Promise<Load> {
  const pool = new Pool(url, { connections: connectionsMax, pipelining: 1 });
  const latencies: number[] = [];
  let refused = 0;
  const running: Promise<void>[] = [];
  const startAt = performance.now();
  for (let index = 0; index < rate * seconds; index += 1) {
    const dueAt = startAt + (index * 1000) / rate;
    const wait = dueAt - performance.now();
    if (wait > 1) await sleep(wait);
    running.push(
      once(pool, request).then((isGood) => {
        if (!isGood) refused += 1;
        latencies.push(performance.now() - dueAt);
      }),
    );
  }
  await Promise.all(running);
  await pool.close();
  return loadOf(latencies, refused, seconds);
}
