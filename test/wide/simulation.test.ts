import { expect, test } from 'vitest';
import { mutations } from '../simulation/mutations.ts';
import { simulate } from '../simulation/simulate.ts';

const schedules = 3000;
const seedsPerBug = 500;

test('thousands of schedules keep every promise', async () => {
  const startedAt = performance.now();
  for (let seed = 10_001; seed <= 10_000 + schedules; seed++) {
    const { problems } = await simulate(seed);
    expect({ replay: `SEED=${seed} npm run simulate`, problems }).toMatchObject({ problems: [] });
  }
  const perMinute = Math.round((schedules / (performance.now() - startedAt)) * 60_000);
  process.stdout.write(`${schedules} schedules, ${perMinute} a minute\n`);
}, 1_800_000);

test('every planted bug is found, and the same schedules are clean without it', async () => {
  let last = 0;
  const lines: string[] = [];
  for (const mutation of mutations) {
    let seed = 1;
    while (seed <= seedsPerBug && (await simulate(seed, { mutation })).problems.length === 0) seed += 1;
    expect(seed, `${mutation.name}: not found within ${seedsPerBug} schedules`).toBeLessThanOrEqual(seedsPerBug);
    last = Math.max(last, seed);
    lines.push(`${String(seed).padStart(4)}  ${mutation.name}`);
  }
  process.stdout.write(`found by schedule:\n${lines.join('\n')}\n`);
  for (let seed = 1; seed <= last; seed++) expect((await simulate(seed)).problems).toEqual([]);
});
