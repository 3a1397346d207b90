import { describe, expect, test } from 'vitest';
import type { CorrelationDetection } from '../content/types/correlation-rule.ts';
import { correlate } from './correlate.ts';
import { minuteMs, type Signal } from './signal.ts';

const signal = (member: string, minute: number, value = 'v', field = 'f'): Signal => ({
  member,
  atMs: minute * minuteMs,
  values: new Map([[field, [value]]]),
});
const base = {
  Schedule: { RateMinutes: 15, TimeoutMinutes: 5 },
  LookbackWindowMinutes: 30,
  EventEvaluationOrder: 'Chronological',
} as const;
const group = (more: Partial<CorrelationDetection> = {}): CorrelationDetection => ({
  ...base,
  Group: [{ RuleID: 'A' }, { RuleID: 'B' }],
  MatchCriteria: {
    k: [
      { GroupID: 'A', Match: 'f' },
      { GroupID: 'B', Match: 'f' },
    ],
  },
  ...more,
});
const values = (detection: CorrelationDetection, ...signals: Signal[]) =>
  correlate(detection, signals).map(({ value }) => value);

describe('a group', () => {
  test('matches in any order, once for each shared value', () => {
    expect(values(group(), signal('B', 0), signal('A', 5), signal('A', 1, 'w'), signal('B', 9, 'w'))).toEqual([
      'v',
      'w',
    ]);
  });
  test('does not match across values or beyond its window', () => {
    expect(values(group(), signal('A', 0, 'v'), signal('B', 1, 'w'))).toEqual([]);
    expect(values(group(), signal('A', 0), signal('B', 31))).toEqual([]);
    expect(values(group(), signal('A', 0), signal('B', 30))).toEqual(['v']);
  });
  test('counts signals between a least and a most', () => {
    const counted = group({ Group: [{ RuleID: 'A', MinMatchCount: 2, MaxMatchCount: 3 }, { RuleID: 'B' }] });
    const run = (times: number) =>
      values(counted, signal('B', 0), ...Array.from({ length: times }, (_, index) => signal('A', index)));
    expect(run(1)).toEqual([]);
    expect(run(2)).toEqual(['v']);
    expect(run(4)).toEqual([]);
  });
  test('is disturbed by what must be absent, before and after', () => {
    const lonely = group({ Group: [{ RuleID: 'A' }, { RuleID: 'B', Absence: true }] });
    expect(values(lonely, signal('A', 10))).toEqual(['v']);
    expect(values(lonely, signal('A', 10), signal('B', 1))).toEqual([]);
    expect(values(lonely, signal('A', 10), signal('B', 20))).toEqual([]);
    expect(values(lonely, signal('A', 10), signal('B', 20, 'w'))).toEqual(['v']);
  });
  test('may ask for some of its members only', () => {
    const some = group({ Group: [{ RuleID: 'A' }, { RuleID: 'B' }], MinMatchCount: 1 });
    expect(values(some, signal('A', 0))).toEqual(['v']);
  });
});

describe('a sequence', () => {
  const sequence = (more: Partial<CorrelationDetection> = {}): CorrelationDetection => ({
    ...base,
    Sequence: [{ RuleID: 'A' }, { RuleID: 'B' }],
    Transitions: [{ From: 'A', To: 'B', WithinTimeFrameMinutes: 10, Match: [{ On: 'f' }] }],
    ...more,
  });
  test('needs its order, its time and its value', () => {
    expect(values(sequence(), signal('A', 0), signal('B', 10))).toEqual(['v']);
    expect(values(sequence(), signal('B', 0), signal('A', 1))).toEqual([]);
    expect(values(sequence(), signal('A', 0), signal('B', 11))).toEqual([]);
    expect(values(sequence(), signal('A', 0), signal('B', 1, 'w'))).toEqual([]);
  });
  test('compares different fields', () => {
    const renamed = sequence({ Transitions: [{ From: 'A', To: 'B', Match: [{ From: 'f', To: 'g' }] }] });
    expect(values(renamed, signal('A', 0), signal('B', 1, 'v', 'g'))).toEqual(['v']);
  });
  test('notices what did not follow', () => {
    const unanswered = sequence({ Sequence: [{ RuleID: 'A' }, { RuleID: 'B', Absence: true }] });
    expect(values(unanswered, signal('A', 0))).toEqual(['v']);
    expect(values(unanswered, signal('A', 0), signal('B', 9))).toEqual([]);
    expect(values(unanswered, signal('A', 0), signal('B', 11))).toEqual(['v']);
  });
  test('counts a step before it goes on', () => {
    const counted = sequence({ Sequence: [{ RuleID: 'A', MinMatchCount: 2 }, { RuleID: 'B' }] });
    expect(values(counted, signal('A', 0), signal('B', 5))).toEqual([]);
    expect(values(counted, signal('A', 0), signal('A', 1), signal('B', 5))).toEqual(['v']);
  });
});
