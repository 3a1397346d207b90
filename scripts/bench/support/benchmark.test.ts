import { expect, test } from 'vitest';
import { asBenchmark, percentile, wholeOption } from './benchmark.ts';

test('a file that exports no benchmark is named', () => {
  expect(() => asBenchmark('search', undefined)).toThrow('scripts/bench/search.ts must export `benchmark`');
  const run = async () => ({ figures: {}, problems: [] });
  expect(asBenchmark('search', { summary: 'x', options: {}, run })).toMatchObject({ summary: 'x' });
});

test('percentiles are values that were measured, and there is none of nothing', () => {
  expect(percentile([3, 1, 2, 4], 0.5)).toBe(2);
  expect(percentile([3, 1, 2, 4], 0.95)).toBe(4);
  expect(percentile([7], 0)).toBe(7);
  expect(percentile([], 0.5)).toBeNull();
});

test('an option that is no whole number is named', () => {
  expect(wholeOption({ events: '100' }, 'events')).toBe(100);
  expect(() => wholeOption({ events: 'many' }, 'events')).toThrow('--events: must be a whole number.');
});
