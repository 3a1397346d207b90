import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { type PayloadSource, testWebhookBody, webhookBody } from './webhook-payload.ts';
import { signatureOf } from './webhook-signature.ts';

const alert: PayloadSource = {
  id: 'a'.repeat(32),
  type: 'RULE',
  severity: 'HIGH',
  title: 'Root "logged" in',
  description: '',
  runbook: 'Look.',
  context: '{"account":9007199254740993}',
  tags: ['aws'],
  createdAt: new Date('2026-01-01T00:00:00.123Z'),
  origin: { kind: 'detection', id: 'AWS.Root.Login', name: 'Root login' },
};
const options = { consoleUrl: 'https://siem.example.com/console', isResent: false };

test('the body has every key in its order, and numbers of the context as the detection wrote them', () => {
  expect(webhookBody(alert, options)).toBe(
    `{"id":"AWS.Root.Login","createdAt":"2026-01-01T00:00:00.123Z","severity":"HIGH","type":"RULE",` +
      `"link":"https://siem.example.com/console/alerts/${'a'.repeat(32)}","title":"New Alert: Root \\"logged\\" in",` +
      `"name":"Root login","alertId":"${'a'.repeat(32)}","alertContext":{"account":9007199254740993},` +
      `"description":null,"runbook":"Look.","tags":["aws"],"version":null}`,
  );
});

test.each([
  ['RULE', 'New Alert: T'],
  ['SCHEDULED_RULE', 'New Alert: T'],
  ['RULE_ERROR', 'New rule error: T'],
  ['POLICY', 'Policy Failure: T'],
  ['SYSTEM_ERROR', 'System error: T'],
] as const)('the title of a %s alert is "%s"', (type, title) => {
  expect(JSON.parse(webhookBody({ ...alert, type, title: 'T' }, options))).toMatchObject({ type, title });
});

test('a repetition that a person asked for says so', () => {
  expect(JSON.parse(webhookBody({ ...alert, title: 'T' }, { ...options, isResent: true }))).toMatchObject({
    title: '[Re-sent]: T',
  });
});

test.each([null, '', 'nonsense', '[1]', '"text"', '{"a":1}}', '{}, "severity": "LOW", "x": {}'])(
  'the context %j is not an object and cannot change other keys',
  (context) => {
    expect(JSON.parse(webhookBody({ ...alert, context }, options))).toMatchObject({
      alertContext: {},
      severity: 'HIGH',
    });
  },
);

test('a context that makes the body too large gives way, and the alert still goes out', () => {
  const body = webhookBody({ ...alert, context: JSON.stringify({ text: '€'.repeat(190_000) }) }, options);
  expect(Buffer.byteLength(body)).toBeLessThan(2000);
  expect(JSON.parse(body)).toMatchObject({ alertContext: { _error: expect.stringContaining('too large') } });
});

test('a system error names its kind and has no detection', () => {
  const origin = { kind: 'system-error', type: 'ALERT_DELIVERY' } as const;
  expect(JSON.parse(webhookBody({ ...alert, type: 'SYSTEM_ERROR', origin }, options))).toMatchObject({
    id: 'ALERT_DELIVERY',
    name: null,
  });
});

test('a test alert has the keys of a real one', () => {
  const keys = (text: string) => Object.keys(JSON.parse(text) as object);
  expect(keys(testWebhookBody({ ...options, now: new Date() }))).toEqual(keys(webhookBody(alert, options)));
});

test('a receiver can check the signature with the secret, the timestamp and the bytes it got', () => {
  const body = webhookBody({ ...alert, title: 'Zürich €' }, options);
  const signature = signatureOf('a shared secret of some length', body, new Date('2026-01-01T00:00:00.999Z'));
  const expected = createHmac('sha256', 'a shared secret of some length')
    .update(Buffer.concat([Buffer.from('1767225600.'), Buffer.from(body)]))
    .digest('hex');
  expect(signature).toBe(`t=1767225600,v1=${expected}`);
});
