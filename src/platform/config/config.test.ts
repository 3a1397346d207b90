import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { clientSettings } from './client-settings.ts';
import { describeSettings, readSettings, settings } from './config.ts';

test('nothing set gives a loopback server with embedded stores', () => {
  expect(readSettings({})).toMatchObject({ MARGAY_HOST: '127.0.0.1', MARGAY_PORT: 8080, MARGAY_DATA_DIR: './data' });
});

test('every problem is reported at once, and no secret is quoted', () => {
  const environment = {
    MARGAY_PORT: 'eighty',
    MARGAY_PROT: '8080',
    MARGAY_METRICS_TOKEN: 'short-secret',
    DATABASE_URL: 'mysql://user:hunter2@db',
  };
  const message = (() => {
    try {
      return JSON.stringify(readSettings(environment));
    } catch (error) {
      return String(error);
    }
  })();
  expect(message).toContain('MARGAY_PORT: must be a whole number (is "eighty")');
  expect(message).toContain('MARGAY_PROT: there is no such setting');
  expect(message).toContain('MARGAY_METRICS_TOKEN: must have 16 characters or more.');
  expect(message).toContain('DATABASE_URL: must be a URL that begins with postgres:// or postgresql://');
  expect(message).not.toMatch(/hunter2|short-secret/);
});

test.each(['MARGAY_RAW_RETENTION_DAYS', 'MARGAY_EVENT_RETENTION_DAYS', 'MARGAY_DELIVERY_LOG_RETENTION_DAYS'])(
  '%s is refused when the clock of the lake would not hold it',
  (name) => {
    expect(readSettings({ [name]: '3650' })).toMatchObject({ [name]: 3650 });
    for (const days of ['3651', '36500', '999999999999999999999999', '0'])
      expect(() => readSettings({ [name]: days })).toThrow(/: must be between \d and 3650/);
    expect(() => readSettings({ [name]: 'Infinity' })).toThrow('must be a whole number');
  },
);

test('half a configuration does not start', () => {
  expect(() => readSettings({ DATABASE_URL: 'postgres://localhost/margay' })).toThrow(
    'DATABASE_URL and DATABASE_OWNER_URL',
  );
  expect(() => readSettings({ MARGAY_TLS_KEY_FILE: 'key.pem' })).toThrow(
    'MARGAY_TLS_CERT_FILE and MARGAY_TLS_KEY_FILE',
  );
});

test('an S3 endpoint needs a bucket, and half of a credential is none', () => {
  expect(() => readSettings({ S3_ENDPOINT: 'http://127.0.0.1:9000' })).toThrow('S3_BUCKET');
  expect(() => readSettings({ S3_BUCKET: 'margay', MARGAY_S3_ACCESS_KEY_ID: 'a' })).toThrow(
    'MARGAY_S3_ACCESS_KEY_ID and MARGAY_S3_SECRET_ACCESS_KEY',
  );
});

test('an address that others can reach needs TLS or a proxy that speaks it', () => {
  expect(() => readSettings({ MARGAY_HOST: '0.0.0.0' })).toThrow('reachable from other machines');
  expect(readSettings({ MARGAY_HOST: '0.0.0.0', MARGAY_BEHIND_TLS_PROXY: 'true' }).MARGAY_HOST).toBe('0.0.0.0');
});

test('shown settings hide secrets and passwords in addresses', () => {
  const shown = describeSettings(
    readSettings({
      DATABASE_URL: 'postgres://app:hunter2@db/margay?sslmode=verify-full',
      DATABASE_OWNER_URL: 'postgres://owner:hunter3@db/margay?sslmode=verify-full',
      MARGAY_METRICS_TOKEN: 'a-very-long-token',
      MARGAY_PREVIOUS_MASTER_KEYS: Buffer.alloc(32, 1).toString('base64'),
    }),
  );
  expect(JSON.stringify(shown)).not.toMatch(/hunter|a-very-long-token|AQEB/);
});

test('queries run as a user of their own, or as none', () => {
  const server = { CLICKHOUSE_URL: 'https://lake.example:8443', CLICKHOUSE_USER: 'margay' };
  const reader = { CLICKHOUSE_READER_USER: 'margay_reader', CLICKHOUSE_READER_PASSWORD: 'hunter4' };
  expect(JSON.stringify(describeSettings(readSettings({ ...server, ...reader })))).not.toContain('hunter4');
  expect(() => readSettings({ ...server, CLICKHOUSE_READER_USER: 'margay_reader' })).toThrow('set both or neither');
  expect(() => readSettings(reader)).toThrow('there is no CLICKHOUSE_URL');
  expect(() => readSettings({ ...server, ...reader, CLICKHOUSE_USER: 'margay_reader' })).toThrow('also writes');
});

test('a store on another machine is reached over TLS, or not at all unless it is allowed by name', () => {
  const postgres = (query: string) => ({
    DATABASE_URL: `postgres://app:hunter2@db/margay${query}`,
    DATABASE_OWNER_URL: `postgres://owner:hunter2@db/margay${query}`,
  });
  const plain: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['DATABASE_URL: "db" is another machine and would be reached without TLS; add "sslmode=verify-full"', postgres('')],
    ['DATABASE_OWNER_URL: "db" is another machine', postgres('?sslmode=prefer')],
    ['DATABASE_URL: "db" is another machine', postgres('?sslmode=no-verify')],
    [
      'REDIS_URL: "10.0.0.7" is another machine and would be reached without TLS; begin it with rediss://',
      { REDIS_URL: 'redis://:hunter2@10.0.0.7:6379' },
    ],
    [
      'CLICKHOUSE_URL: "lake.example" is another machine and would be reached without TLS; begin it with https://',
      { CLICKHOUSE_URL: 'http://lake.example:8123' },
    ],
    ['CLICKHOUSE_URL: "127.0.0.1.example" is another', { CLICKHOUSE_URL: 'http://127.0.0.1.example:8123' }],
  ];
  for (const [message, environment] of plain) {
    expect(() => readSettings(environment)).toThrow(message);
    expect(() => readSettings(environment)).not.toThrow('hunter2');
    expect(() => readSettings({ ...environment, MARGAY_ALLOW_PLAINTEXT_STORES: 'true' })).not.toThrow();
  }
  for (const environment of [
    postgres('?sslmode=verify-full'),
    postgres('?sslmode=require'),
    { REDIS_URL: 'redis://localhost:6379' },
    { REDIS_URL: 'rediss://10.0.0.7:6379' },
    { CLICKHOUSE_URL: 'http://[::1]:8123' },
    { CLICKHOUSE_URL: 'https://lake.example:8443' },
  ])
    expect(() => readSettings(environment)).not.toThrow();
});

test('the example file names every setting and no other', () => {
  const example = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
  const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]);
  const known = [...Object.keys(settings.shape), ...Object.keys(clientSettings.shape)];
  expect(named.toSorted()).toEqual(known.toSorted());
  expect(() => readSettings({ MARGAY_URL: 'http://siem', MARGAY_API_TOKEN: 'x' })).not.toThrow();
});
