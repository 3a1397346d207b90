import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DetectionMatch } from '../alert.ts';
import { addToWindow, type AlertWindow } from './window.ts';

const start = new Date('2026-01-01T00:00:00Z');
const after = (minutes: number) => new Date(start.getTime() + minutes * 60_000);
const match = (changes: Partial<DetectionMatch> = {}): DetectionMatch => ({
  detectionId: 'R',
  type: 'RULE',
  displayName: 'R',
  dedup: 'd',
  title: 't',
  severity: 'LOW',
  description: '',
  reference: '',
  runbook: '',
  destinations: undefined,
  context: undefined,
  dedupPeriodMinutes: 60,
  threshold: 1,
  createsAlert: true,
  logType: 'T',
  tags: [],
  eventTime: start,
  ...changes,
});

test('matches inside the window join its alert and do not extend it', () => {
  const first = addToWindow('t', undefined, [match()], start);
  const second = addToWindow('t', first.window, [match()], after(59));
  const third = addToWindow('t', second.window, [match()], after(60));
  expect([first.isNew, second.isNew, third.isNew]).toEqual([true, false, true]);
  expect(second.alertId).toBe(first.alertId);
  expect(third.alertId).not.toBe(first.alertId);
  expect(second.window).toMatchObject({ matchCount: 2, endsAt: after(60) });
});

test('below the threshold no alert exists, and the matches already carry its id', () => {
  const low = match({ threshold: 3 });
  const first = addToWindow('t', undefined, [low, low], start);
  const second = addToWindow('t', first.window, [low], after(1));
  const third = addToWindow('t', second.window, [low], after(2));
  expect(first.window.alertId).toBeNull();
  expect([first.isNew, second.isNew, third.isNew]).toEqual([false, true, false]);
  expect(second.alertId).toBe(first.alertId);
  expect(third.window.matchCount).toBe(4);
});

test('the same window of another tenant, detection or dedup string has another id', () => {
  const ids = [
    addToWindow('t', undefined, [match()], start),
    addToWindow('u', undefined, [match()], start),
    addToWindow('t', undefined, [match({ detectionId: 'S' })], start),
    addToWindow('t', undefined, [match({ dedup: 'e' })], start),
    addToWindow('t', undefined, [match({ type: 'RULE_ERROR' })], start),
  ].map((change) => change.alertId);
  expect(new Set(ids).size).toBe(5);
});

test('however matches are spread over time, each alert is made once and every match is counted once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ minutes: fc.nat(30), count: fc.integer({ min: 1, max: 4 }) }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      (steps, threshold) => {
        let window: AlertWindow | undefined;
        let now = 0;
        const made = new Set<string>();
        const counted = new Map<string, number>();
        for (const step of steps) {
          now += step.minutes;
          const one = match({ threshold, dedupPeriodMinutes: 45 });
          const change = addToWindow(
            't',
            window,
            [one, ...Array.from({ length: step.count - 1 }, () => one)],
            after(now),
          );
          if (change.isNew) {
            expect(made.has(change.alertId)).toBe(false);
            made.add(change.alertId);
          }
          counted.set(change.alertId, (counted.get(change.alertId) ?? 0) + step.count);
          expect(change.window.matchCount).toBe(counted.get(change.alertId));
          expect(change.window.alertId !== null).toBe(change.window.matchCount >= threshold);
          window = change.window;
        }
      },
    ),
  );
});
