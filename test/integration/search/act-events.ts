import type { LogTypeSchema } from '#search';

/** Events of a log type with every kind of field, for tests of the languages. */
export const schema: LogTypeSchema = {
  logType: 'Custom.Act',
  description: '',
  fields: [
    { name: 'eventName', type: 'string' },
    { name: 'bytes', type: 'bigint' },
    { name: 'ratio', type: 'float' },
    { name: 'ok', type: 'boolean' },
    { name: 'seen', type: 'timestamp' },
    {
      name: 'user',
      type: 'object',
      fields: [
        { name: 'userName', type: 'string' },
        { name: 'age', type: 'bigint' },
        { name: 'roles', type: 'array', element: { type: 'string' } },
      ],
    },
    { name: 'extra', type: 'json' },
    { name: 'params', type: 'object' },
    { name: 'tags', type: 'array', element: { type: 'string' } },
    { name: 'targets', type: 'array', element: { type: 'object', fields: [{ name: 'id', type: 'string' }] } },
  ],
};

export const rows = [
  {
    at: '2026-06-15T11:30:00Z',
    eventName: 'Login',
    bytes: 100,
    ratio: 0.5,
    ok: true,
    seen: '2026-06-15T11:30:00Z',
    user: { userName: 'ann', age: 30, roles: ['admin', 'dev'] },
    extra: { kind: 'a', n: 1, when: '2026-01-02 03:04:05' },
    params: {
      bucket: 'one',
      deep: { er: { x: 'y' } },
      n: 7,
      when: '2026-01-02T03:04:05Z',
      big: 12345678901234568,
      list: ['p', 'q'],
    },
    tags: ['vpn', 'mfa'],
    targets: [{ id: 't1', n: 1 }, { id: 't2' }],
    p_any_ip_addresses: ['10.0.0.1'],
  },
  {
    at: '2026-06-15T10:30:00Z',
    eventName: 'Login',
    bytes: 50,
    ok: false,
    user: { userName: 'bob', age: 40 },
    extra: ['x', { y: 1 }],
    params: { bucket: 'two' },
    tags: ['web'],
    targets: [{ id: 't2' }],
    p_any_ip_addresses: ['10.0.0.2'],
  },
  {
    at: '2026-06-13T10:30:00Z',
    eventName: 'Delete\\All_%',
    bytes: 700,
    ok: true,
    user: { userName: 'Cat' },
    params: {
      n: '8',
      ok: true,
      labels: {
        'app.kubernetes.io/name': 'web',
        app: { 'kubernetes.io/name': 'other' },
        '.tag': 'end_user',
      },
    },
  },
] as const;
