import { expect, test } from 'vitest';
import { judge } from './check.ts';
import type { ChaosEvent, Ledger } from './traffic.ts';

const event = (id: string, hit = true): ChaosEvent => ({ id, group: 'g', hit });
const ledger = (acknowledged: readonly ChaosEvent[], unsure: readonly ChaosEvent[] = []): Ledger => ({
  acknowledged: new Map(acknowledged.map((one) => [one.id, one])),
  unsure: new Map(unsure.map((one) => [one.id, one])),
});
const found = (ids: readonly string[], counts: readonly number[]) => ({
  events: new Map(
    Map.groupBy(ids, (id) => id)
      .entries()
      .map(([id, all]) => [id, all.length]),
  ),
  alerts: counts.map((eventCount) => ({ group: 'g', eventCount })),
});

test('what is right has no error, also when an unsure event came in', () => {
  const sent = ledger([event('1'), event('2', false)], [event('3'), event('4')]);
  expect(judge(sent, found(['1', '2', '3'], [2]))).toMatchObject({
    lost: 0,
    duplicated: 0,
    foreign: 0,
    countErrors: 0,
  });
});

test('a lost, a doubled and a foreign event, a wrong count, a second and a missing alert are found', () => {
  const sent = ledger([event('1'), event('2')]);
  expect(judge(sent, found(['1'], [2]))).toMatchObject({ lost: 1 });
  expect(judge(sent, found(['1', '2', '2'], [2]))).toMatchObject({ duplicated: 1 });
  expect(judge(sent, found(['1', '2', 'x'], [2]))).toMatchObject({ foreign: 1 });
  expect(judge(sent, found(['1', '2'], [3]))).toMatchObject({ countErrors: 1 });
  expect(judge(sent, found(['1', '2'], [1, 1]))).toMatchObject({ countErrors: 1 });
  expect(judge(sent, found(['1', '2'], []))).toMatchObject({ countErrors: 1, alertsExpected: 1, alertsFound: 0 });
});
