import { expect, test } from 'vitest';
import { mayReadLogType } from './log-type-access.ts';

const okta = new Set(['Okta.SystemLog']);

test.each([
  [{ kind: 'ALLOW', logTypes: okta }, true, false],
  [{ kind: 'DENY', logTypes: okta }, false, true],
  [{ kind: 'ALLOW_ALL' }, true, true],
  [{ kind: 'DENY_ALL' }, false, false],
] as const)('%o: a named log type %s, a new one %s', (access, named, fresh) => {
  expect(mayReadLogType(access, 'Okta.SystemLog')).toBe(named);
  expect(mayReadLogType(access, 'Custom.New')).toBe(fresh);
});
