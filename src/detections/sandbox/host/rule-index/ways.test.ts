import { expect, test } from 'vitest';
import { type Way, Ways } from './ways.ts';

const events = 100;
type Costs = Readonly<Record<Way, number>>;

/** The ways of some chunks in turn, each costing what its way costs per event. */
function run(ways: Ways, chunks: number, costs: Costs): readonly Way[] {
  return Array.from({ length: chunks }, () => {
    const way = ways.next();
    ways.note(way, events, costs[way] * events);
    return way;
  });
}

const count = (taken: readonly Way[], wanted: Way): number => taken.filter((way) => way === wanted).length;

test('both ways are looked at twice before the cheaper one is taken', () => {
  const ways = new Ways();
  expect(run(ways, 6, { indexed: 20, plain: 10 })).toEqual([
    'indexed', 'indexed', 'plain', 'plain', 'plain', 'plain',
  ]); // prettier-ignore
  expect(run(new Ways(), 6, { indexed: 10, plain: 20 }).slice(4)).toEqual(['indexed', 'indexed']);
});

test('what is gained by the index must be worth changing for', () => {
  const ways = new Ways();
  run(ways, 4, { indexed: 10, plain: 9.8 });
  expect(ways.chosen).toBe('indexed');
});

test('the other way is looked at now and then, ever less often', () => {
  const taken = run(new Ways(), 10_000, { indexed: 10, plain: 50 });
  expect(count(taken, 'plain')).toBeGreaterThan(10);
  expect(count(taken, 'plain')).toBeLessThan(40);
});

test('a change of what the events are like is noticed, the sooner the dearer they become', () => {
  const ways = new Ways();
  run(ways, 5000, { indexed: 10, plain: 50 });
  // Now every event is left with rules: the index saves nothing.
  const dearer = run(ways, 20, { indexed: 60, plain: 50 });
  expect(dearer.at(-1)).toBe('plain');
  // And back: the plain way costs the same, so only the regular look can tell.
  const back = run(ways, 100, { indexed: 10, plain: 50 });
  expect(back.at(-1)).toBe('indexed');
});

test('one dear chunk, as when the collector of garbage runs, does not decide', () => {
  const ways = new Ways();
  run(ways, 10, { indexed: 10, plain: 20 });
  ways.note('indexed', events, 100 * events);
  expect(ways.chosen).toBe('indexed');
  expect(ways.next()).toBe('indexed');
});

test('small chunks say nothing and go through the index', () => {
  const ways = new Ways();
  for (let index = 0; index < 20; index++) {
    expect(ways.next()).toBe('indexed');
    ways.note('indexed', 3, 1000);
  }
});
