import { afterAll, expect, test } from 'vitest';
import { startCrashRun, undisturbed } from '../crash-points/crash-run.ts';
import { expected } from '../crash-points/expected.ts';

const run = await startCrashRun({
  preloads: ['wrong-clock.ts'],
  environment: { MARGAY_WORKER_PROCESSES: '2', MARGAY_LOG_LEVEL: 'error' },
});
afterAll(() => run.stop());

test('processes whose clocks are an hour off, each its own way, deliver and count like others', async () => {
  const startedAt = performance.now();
  const { outcome } = await undisturbed(run);
  expect(outcome).toMatchObject(expected);
  for (const late of await run.readAll()) expect(late).toEqual(outcome);
  process.stdout.write(`two passages took ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
});
