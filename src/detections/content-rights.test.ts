import { expect, test } from 'vitest';
import { type Actor, type Permission, systemActor } from '#access';
import { saveDetection } from './detection-operations.ts';
import { mayReadKind, refuseCodeOfLimited, requireKind } from './content-rights.ts';

const actorWith = (permissions: readonly Permission[], kind: 'ALLOW_ALL' | 'DENY_ALL' = 'ALLOW_ALL'): Actor => ({
  ...systemActor('00000000-0000-4000-8000-000000000000', 'test', '0'.repeat(32)),
  permissions: new Set(permissions),
  logTypeAccess: { kind },
});

test('each kind has its own permissions', () => {
  const ofLogs = actorWith(['LogSourceModify', 'LogSourceRead']);
  expect(mayReadKind(ofLogs, 'DATAMODEL')).toBe(true);
  expect(mayReadKind(ofLogs, 'RULE')).toBe(false);
  expect(() => requireKind(ofLogs, saveDetection, 'DATAMODEL')).not.toThrow();
  expect(() => requireKind(ofLogs, saveDetection, 'POLICY')).toThrow(/PolicyModify/);
  expect(() => requireKind(actorWith(['PolicyModify']), saveDetection, 'GLOBAL')).not.toThrow();
});

test('who may not read every log type writes no code', () => {
  const limited = actorWith(['LogSourceModify'], 'DENY_ALL');
  expect(() => refuseCodeOfLimited(limited, { body: 'x = 1' })).toThrow(/every log type/);
  expect(() => refuseCodeOfLimited(limited, { body: '' })).not.toThrow();
  expect(() => refuseCodeOfLimited(actorWith(['LogSourceModify']), { body: 'x = 1' })).not.toThrow();
});
