import { expect, test } from 'vitest';
import { type LogSourceAlarm, stateOf } from './alarm.ts';

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000);
const alarm = (more: Partial<LogSourceAlarm>): LogSourceAlarm => ({
  sourceId: 's',
  type: 'SOURCE_NO_DATA',
  minutesThreshold: 15,
  setAt: at(0),
  lastReceivedAt: null,
  ...more,
});

test('a source that never sent has its whole time before it is in alarm', () => {
  expect(stateOf(alarm({}), at(15))).toBe('INSUFFICIENT_DATA');
  expect(stateOf(alarm({}), at(16))).toBe('ALARM');
});

test('otherwise the last data count, also from before the alarm was set', () => {
  expect(stateOf(alarm({ lastReceivedAt: at(10) }), at(25))).toBe('OK');
  expect(stateOf(alarm({ lastReceivedAt: at(10) }), at(26))).toBe('ALARM');
  expect(stateOf(alarm({ lastReceivedAt: at(-20) }), at(1))).toBe('ALARM');
});
