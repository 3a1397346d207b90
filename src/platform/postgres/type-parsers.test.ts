import fc from 'fast-check';
import pg from 'pg';
import { expect, test } from 'vitest';
import { parseTextArray, parseTimestamp } from './type-parsers.ts';

const driver = (oid: number): ((text: string) => unknown) => pg.types.getTypeParser(oid);

/** As Postgres prints an array of texts. */
const printed = (items: readonly (string | null)[]): string => {
  const needsQuotes = (item: string) => item === '' || /["\\{},\s]/.test(item) || /^null$/i.test(item);
  const one = (item: string | null) =>
    item === null ? 'NULL' : needsQuotes(item) ? `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"` : item;
  return `{${items.map(one).join(',')}}`;
};

test('lists of texts are read as the driver reads them', () => {
  const item = fc.oneof(
    fc.string(),
    fc.constantFrom('NULL', 'null', '', 'a b', '{x}', 'aws', 'TA0001:T1078'),
    fc.constant(null),
  );
  fc.assert(
    fc.property(fc.array(item), (items) => {
      expect(parseTextArray(printed(items))).toEqual(driver(1009)(printed(items)));
    }),
  );
});

test('moments are read as the driver reads them', () => {
  const two = (value: number) => String(value).padStart(2, '0');
  const moment = fc.date({
    min: new Date('0001-01-02T00:00:00Z'),
    max: new Date('9999-12-30T00:00:00Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(moment, fc.integer({ min: 0, max: 6 }), fc.constantFrom('+00', '+02', '-03:30'), (at, digits, zone) => {
      const fraction =
        digits === 0 ? '' : `.${String(at.getUTCMilliseconds()).padStart(3, '0').padEnd(6, '0').slice(0, digits)}`;
      const day = `${String(at.getUTCFullYear()).padStart(4, '0')}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
      const text = `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}${fraction}${zone}`;
      expect(parseTimestamp(text)).toEqual(driver(1184)(text));
    }),
  );
  for (const text of ['infinity', '-infinity', '2026-01-01 00:00:00+00 BC', '12026-01-01 00:00:00+00'])
    expect(parseTimestamp(text)).toEqual(driver(1184)(text));
});
