import { expect, test } from 'vitest';
import { simulate } from './simulate.ts';
import { mutations } from './mutations.ts';

/** The long form is `npm run wide`, and `npm run simulate` for as long as you like. */
const schedules = 40;
const seedsPerBug = 20;

test('whatever fails and whenever: nothing is lost, nothing doubled, nothing stuck, nobody sees another', async () => {
  for (let seed = 1; seed <= schedules; seed++) {
    const { problems } = await simulate(seed);
    expect({ replay: `SEED=${seed} npm run simulate`, problems }).toEqual({
      replay: `SEED=${seed} npm run simulate`,
      problems: [],
    });
  }
});

test('the same seed gives the same run, step by step', async () => {
  const first = await simulate(7, { isTraced: true });
  const second = await simulate(7, { isTraced: true });
  expect(first.trace.length).toBeGreaterThan(500);
  expect(second.trace).toEqual(first.trace);
});

/** These show themselves soon; the whole list is run by `npm run wide`. */
const soon = mutations.filter(({ name }) =>
  /another token|share a token|before its rows are written|key of its own|after its effects|before its effects|made anew|share|clock of the worker|random ids|claimed without/.test(
    name,
  ),
);

test.each(soon)('a planted bug is found: $name', async (mutation) => {
  for (let seed = 1; seed <= seedsPerBug; seed++) if ((await simulate(seed, { mutation })).problems.length > 0) return;
  expect.unreachable(`${seedsPerBug} schedules did not show it.`);
});
