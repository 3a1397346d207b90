import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { startCrashRun, undisturbed } from './crash-run.ts';
import { expected } from './expected.ts';

const run = await startCrashRun();
afterAll(() => run.stop());

/** Where most depends on what comes after it; all other steps are tried by `npm run wide`. */
const chosen = [
  /^api\+ingest: commits .*\bbatches\b/,
  /^scheduler: commits add_job(s_bulk)? ingestion-process-batch/,
  /^worker: stores the object .*\/results\/\*\.json /,
  /^worker: commits batch_evaluations\b/,
  /^worker: the lake has done INSERT INTO .*\.logs_/,
  /^worker: a receiver has taken a message/,
];

test('processes that end at once after a durable step lose nothing and double nothing', async () => {
  const { outcome, steps } = await undisturbed(run);
  expect(outcome).toMatchObject(expected);
  const stops = chosen.map((pattern) => steps.find((step) => pattern.test(step)) ?? String(pattern));
  const crashed = await run.passage(stops, (found) => isDeepStrictEqual(found, outcome));
  expect(crashed.outcome).toEqual(outcome);
  expect(crashed.reached).toEqual(stops);
}, 600_000);
