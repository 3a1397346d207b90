import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DetectionMatch, seedOf } from './detection-match.ts';
import { advanceWindow, groupMatches, openWindow, type Window } from './window.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const at = (minutes: number): Date => new Date(start + minutes * 60_000);

const match = (over: Partial<DetectionMatch> = {}): DetectionMatch => ({
  detectionId: 'Rule',
  type: 'RULE',
  displayName: 'A rule',
  dedup: 'key',
  title: 'Title',
  severity: 'HIGH',
  dedupPeriodMinutes: 60,
  threshold: 1,
  createsAlert: true,
  logType: 'AWS.CloudTrail',
  rowId: 'row',
  eventTime: at(0),
  receivedAt: at(0),
  tags: [],
  mitre: [],
  ...over,
});

/** Windows and alerts of one tenant in memory, moved by the functions under test. */
function newLedger() {
  const windows = new Map<string, Window>();
  const alerts = new Map<string, { count: number; title: string }>();
  const apply = (evaluatedAt: Date, matches: readonly DetectionMatch[]) => {
    const { groups, windowIds } = groupMatches(matches);
    for (const group of groups) {
      const known = windows.get(group.windowId) ?? openWindow('tenant', group, evaluatedAt);
      const { window, effect } = advanceWindow('tenant', known, group, evaluatedAt);
      windows.set(group.windowId, window);
      if (effect.kind === 'create') alerts.set(window.alertId, { count: effect.tally.count, title: effect.seed.title });
      const alert = alerts.get(window.alertId);
      if (effect.kind === 'add' && alert !== undefined) alert.count += effect.tally.count;
    }
    return windowIds.map((id) => (id === undefined ? null : windows.get(id)?.alertId));
  };
  return { apply, alerts };
}

test('matches within the period of the first belong to one alert, and none of them makes it longer', () => {
  const { apply, alerts } = newLedger();
  const ids = [0, 30, 59, 60, 119].map((minute) => apply(at(minute), [match()])[0]);
  expect(new Set(ids).size).toBe(2);
  expect([...alerts.values()].map(({ count }) => count)).toEqual([3, 2]);
});

test('the window is counted by evaluation, not by event time', () => {
  const { apply, alerts } = newLedger();
  apply(at(0), [match({ eventTime: at(-100_000) }), match({ eventTime: at(100_000) })]);
  expect([...alerts.values()]).toMatchObject([{ count: 2 }]);
});

test('below the threshold there is no alert; at the threshold it is made of the first match and counts all', () => {
  const { apply, alerts } = newLedger();
  const first = apply(at(0), [match({ threshold: 3, title: 'first' })]);
  apply(at(1), [match({ threshold: 3, title: 'second' })]);
  expect(alerts.size).toBe(0);
  const third = apply(at(2), [match({ threshold: 3, title: 'third' }), match({ threshold: 3 })]);
  expect([...alerts.values()]).toEqual([{ count: 4, title: 'first' }]);
  expect(third).toEqual([first[0], first[0]]);
});

test('matches that did not reach the threshold are forgotten with their window', () => {
  const { apply, alerts } = newLedger();
  for (const minute of [0, 60, 120]) apply(at(minute), [match({ threshold: 2 })]);
  expect(alerts.size).toBe(0);
});

test('a rule error has its own alert and needs no threshold', () => {
  const { apply, alerts } = newLedger();
  apply(at(0), [match({ threshold: 9 }), match({ type: 'RULE_ERROR', threshold: 9, title: 'KeyError' })]);
  expect([...alerts.values()]).toEqual([{ count: 1, title: 'KeyError' }]);
});

test('a match that makes no alert has no id and opens no window', () => {
  const { apply, alerts } = newLedger();
  expect(apply(at(0), [match({ createsAlert: false })])).toEqual([null]);
  expect(alerts.size).toBe(0);
});

test('a period of zero groups nothing', () => {
  const { apply, alerts } = newLedger();
  apply(at(0), [match({ dedupPeriodMinutes: 0, rowId: 'a' }), match({ dedupPeriodMinutes: 0, rowId: 'b' })]);
  expect(alerts.size).toBe(2);
});

test('a batch that was evaluated before the window opened still counts into it', () => {
  const { apply, alerts } = newLedger();
  apply(at(10), [match()]);
  apply(at(5), [match()]);
  expect([...alerts.values()]).toMatchObject([{ count: 2 }]);
});

test('rule and dedup string cannot run into one another', () => {
  const { groups } = groupMatches([match({ detectionId: 'ab', dedup: 'c' }), match({ detectionId: 'a', dedup: 'bc' })]);
  expect(groups).toHaveLength(2);
});

test('what Postgres cannot store is taken out, and dedup strings that become equal share a window', () => {
  expect(seedOf(match({ title: 'a\0b\ud800', dedup: '\udc00' }))).toMatchObject({ title: 'ab\ufffd', dedup: '\ufffd' });
  const { groups } = groupMatches([match({ dedup: '\ud800' }), match({ dedup: '\ud801' })]);
  expect(groups).toMatchObject([{ tally: { count: 2 } }]);
});

test('a context that is too long is replaced by a word about it', () => {
  const { context } = seedOf(match({ context: JSON.stringify({ text: 'x'.repeat(204_800) }) }));
  expect(JSON.parse(context ?? '')).toMatchObject({ _error: expect.stringContaining('204800') });
});

type Step = { readonly minute: number; readonly dedups: readonly string[] };

/** The rule of the product in its plainest form: one match at a time, one open window per key. */
function model(steps: readonly Step[], periodMinutes: number, threshold: number) {
  const open = new Map<string, { from: number; count: number }>();
  const alertCounts = new Map<string, number>();
  for (const { minute, dedups } of steps)
    for (const dedup of dedups) {
      const known = open.get(dedup);
      const current = known && minute < known.from + periodMinutes ? known : { from: minute, count: 0 };
      current.count += 1;
      open.set(dedup, current);
      if (current.count >= threshold) alertCounts.set(`${dedup}@${current.from}`, current.count);
    }
  return [...alertCounts.values()].toSorted((a, b) => a - b);
}

test('any order of batches gives the alerts and counts of the plain rule', () => {
  const step = fc.record({
    minute: fc.integer({ min: 0, max: 200 }),
    dedups: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 30 }),
      fc.integer({ min: 1, max: 90 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, dedupPeriodMinutes, threshold) => {
        const { apply, alerts } = newLedger();
        for (const { minute, dedups } of steps)
          apply(
            at(minute),
            dedups.map((dedup) => match({ dedup, dedupPeriodMinutes, threshold })),
          );
        const counts = [...alerts.values()].map(({ count }) => count).toSorted((a, b) => a - b);
        expect(counts).toEqual(model(steps, dedupPeriodMinutes, threshold));
      },
    ),
    { numRuns: 500 },
  );
});

test('a detection that counts values makes an alert once enough different ones came, however many matches', () => {
  const { apply, alerts } = newLedger();
  const seen = (minute: number, ...values: string[]) =>
    apply(
      at(minute),
      values.map((unique) => match({ threshold: 3, unique })),
    );
  seen(0, 'a', 'a', 'b', 'a');
  seen(10, 'b', 'a');
  expect(alerts.size).toBe(0);
  seen(20, 'c', 'a');
  expect([...alerts.values()]).toMatchObject([{ count: 8 }]);
  seen(30, 'd');
  expect([...alerts.values()]).toMatchObject([{ count: 9 }]);
});

test('a new window begins to count values anew', () => {
  const { apply, alerts } = newLedger();
  for (const [minute, unique] of [
    [0, 'a'],
    [59, 'b'],
    [60, 'c'],
    [61, 'a'],
  ] as const)
    apply(at(minute), [match({ threshold: 3, unique })]);
  expect(alerts.size).toBe(0);
  apply(at(62), [match({ threshold: 3, unique: 'b' })]);
  expect([...alerts.values()]).toMatchObject([{ count: 3 }]);
});
