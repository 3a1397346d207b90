import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyChange, type CacheChange, type CacheItem, composeChanges } from './cache-item.ts';

const now = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const expires = (seconds: number): number => at(seconds).getTime() / 1000;

const name = fc.constantFrom('a', 'b', 'c', 'd');
const names = fc.uniqueArray(name);
const item: fc.Arbitrary<CacheItem> = fc.record({
  count: fc.integer({ min: -5, max: 5 }),
  strings: names,
  dictionary: fc.constantFrom('{"x":1}', null),
  expiresAt: fc.integer({ min: 1, max: 100 }).map(at),
});
const change: fc.Arbitrary<CacheChange> = fc
  .record({
    count: fc.option(fc.record({ reset: fc.boolean(), add: fc.integer({ min: -5, max: 5 }) }), { nil: undefined }),
    strings: fc.option(fc.record({ replace: fc.boolean(), add: names, remove: names }), { nil: undefined }),
    dictionary: fc.option(fc.constantFrom('{"y":2}', null), { nil: undefined }),
    expires: fc.option(fc.integer({ min: 1, max: 100 }).map(expires), { nil: undefined }),
  })
  .map(({ count, strings, dictionary, expires: moment }) => ({
    key: 'k',
    ...(count && { count }),
    ...(strings && {
      strings: { ...strings, remove: strings.remove.filter((text) => !strings.add.includes(text)) },
    }),
    ...(dictionary !== undefined && { dictionary }),
    ...(moment !== undefined && { expires: moment }),
  }));
const comparable = (found: CacheItem | undefined) =>
  found && { count: found.count, strings: found.strings.toSorted(), dictionary: found.dictionary };

test('a composed change does what its parts do one after the other', () => {
  fc.assert(
    fc.property(item, change, change, (stored, one, two) => {
      const stepwise = applyChange(applyChange(stored, one, now), two, now);
      expect(comparable(applyChange(stored, composeChanges(one, two), now))).toEqual(comparable(stepwise));
    }),
  );
});

test('increments of batches that did not see one another add up', () => {
  const stored: CacheItem = { count: 7, strings: [], dictionary: null, expiresAt: at(60) };
  const add = (value: number): CacheChange => ({ key: 'k', count: { reset: false, add: value }, expires: expires(60) });
  expect(applyChange(applyChange(stored, add(2), now), add(3), now)?.count).toBe(12);
});

test('what has expired is not there, and a change starts anew', () => {
  const stored: CacheItem = { count: 7, strings: ['a'], dictionary: '{}', expiresAt: now };
  expect(applyChange(stored, { key: 'k' }, now)).toBeUndefined();
  const one = applyChange(stored, { key: 'k', count: { reset: false, add: 1 }, expires: expires(9) }, now);
  expect(one).toEqual({ count: 1, strings: [], dictionary: null, expiresAt: at(9) });
});

test('a change without a time keeps the time there is, or gives ninety days', () => {
  const change = { key: 'k', count: { reset: false, add: 1 } };
  const stored: CacheItem = { count: 7, strings: [], dictionary: null, expiresAt: at(60) };
  expect(applyChange(stored, change, now)?.expiresAt).toEqual(at(60));
  expect(applyChange(undefined, change, now)?.expiresAt).toEqual(at(90 * 24 * 3600));
});
