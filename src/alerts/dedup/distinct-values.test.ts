import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addValues, distinctCount, type Values, valuesOf } from './distinct-values.ts';

const gather = (texts: readonly string[]): Values =>
  texts.reduce<Values>((values, text) => addValues(values, valuesOf(text)), []);

test('up to a thousand values are counted exactly, in whatever order and parts they come', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 200 }), fc.nat(200), (texts, cut) => {
      const parts = addValues(gather(texts.slice(cut)), gather(texts.slice(0, cut)));
      expect(distinctCount(parts)).toBe(new Set(texts).size);
      expect(parts).toEqual(gather(texts.toReversed()));
    }),
  );
});

test('many values are estimated within a tenth and take no more room', () => {
  for (const count of [2000, 20_000]) {
    const values = gather(Array.from({ length: count }, (_, index) => `user-${index}`));
    expect(Math.abs(distinctCount(values) - count)).toBeLessThan(count / 10);
    expect(values.length).toBeLessThanOrEqual(1024);
  }
});
