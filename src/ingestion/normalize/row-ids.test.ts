import { expect, test } from 'vitest';
import { rowIdsOf } from './row-ids.ts';

const body = { tenantId: 't', batchId: 'b', part: 0 };
const numbered = { ...body, rowIds: 'numbered' as const };

test('an id is 32 digits, the same for the same place, and of that place only', () => {
  const places: readonly (readonly [number, number])[] = [
    [0, 0],
    [0, 1],
    [1, 0],
    [256, 0],
    [2 ** 32 - 1, 2 ** 16 - 1],
    [2 ** 32, 0],
    [0, 2 ** 16],
  ];
  for (const context of [body, numbered]) {
    const others = [
      { ...context, tenantId: 'u' },
      { ...context, batchId: 'c' },
      { ...context, part: 1 },
    ];
    const all = [context, ...others].flatMap((one) => places.map(([offset, event]) => rowIdsOf(one)(offset, event)));
    expect(new Set(all).size).toBe(all.length);
    for (const id of all) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(places.map(([offset, event]) => rowIdsOf(context)(offset, event))).toEqual(all.slice(0, places.length));
  }
});

test('ids of numbered rows follow the order of the records and share their beginning', () => {
  const idOf = rowIdsOf(numbered);
  const ids = [idOf(0), idOf(0, 1), idOf(10), idOf(4096)];
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids.map((id) => id.slice(0, 20))).size).toBe(1);
});

test('rows of batches from before ids were numbered keep their ids', () => {
  expect(rowIdsOf(body)(7)).toBe('4c2931308337df18ce9ac30b71d3a42f');
  expect(rowIdsOf(body)(7, 2)).toBe('14f301b0c20b75a718f3ae7e6b96b89d');
});
