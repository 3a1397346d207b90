import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readSettings } from '#platform/config';
import { roleNames } from '../../../src/app/runtime.ts';

/** The part of the compose specification that the file uses; whatever is not listed is a slip of the pen. */
const text = z.string().min(1);
const environment = z.record(text, z.string());
const service = z.strictObject({
  image: text,
  build: z.strictObject({ context: text, dockerfile: text }).optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  networks: z.array(text).min(1),
  depends_on: z
    .record(
      text,
      z.strictObject({ condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']) }),
    )
    .optional(),
  entrypoint: z.array(text).optional(),
  command: z.array(z.string()).optional(),
  environment: environment.optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'binds loopback only')).optional(),
  expose: z.array(z.string().regex(/^\d+$/)).optional(),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+(:ro)?$/)).optional(),
  tmpfs: z.array(text).optional(),
  security_opt: z.array(text).optional(),
  stop_grace_period: z
    .string()
    .regex(/^\d+s$/)
    .optional(),
  ulimits: z.record(text, z.strictObject({ soft: z.int(), hard: z.int() })).optional(),
  healthcheck: z
    .strictObject({ test: z.array(z.string()).min(2), interval: z.string().regex(/^\d+s$/), retries: z.int() })
    .optional(),
});
const composeFile = z.strictObject({
  name: text,
  services: z.record(text, service),
  networks: z.record(text, z.strictObject({ internal: z.boolean().optional() })),
  volumes: z.record(text, z.strictObject({})),
});

const source = readFileSync('docker-compose.yml', 'utf8');
const raw = parse(source, { merge: true }) as Record<string, unknown>;
const compose = composeFile.parse(Object.fromEntries(Object.entries(raw).filter(([key]) => !key.startsWith('x-'))));
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image === 'margay');
const roleOf = (command: readonly string[] = []): string => command[command.indexOf('--role') + 1] ?? '';

/** What compose makes of a value when each variable is set; two of them have a shape of their own. */
const filled = (value: string): string =>
  value.replaceAll(/\$\{([A-Z0-9_]+)(?::([?-])([^}]*))?\}/g, (_all, name: string, kind: string, fallback: string) => {
    if (kind === '-') return fallback;
    return name === 'MARGAY_MASTER_KEY' ? Buffer.alloc(32).toString('base64') : 'secret-of-tests';
  });

test('there is a service for every role, and each is started with it', () => {
  expect(ours.map(([name]) => name).toSorted()).toEqual([...roleNames].toSorted());
  for (const [name, { command }] of ours) expect(roleOf(command)).toBe(name);
});

test('the settings of our services are settings of the product, complete and without contradiction', () => {
  for (const [name, { environment: given = {} }] of ours) {
    const values = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, filled(value)]));
    const settings: Readonly<Record<string, unknown>> = readSettings(values);
    for (const key of Object.keys(given)) expect(settings, `${name}: ${key}`).toHaveProperty(key);
    for (const needed of ['DATABASE_URL', 'CLICKHOUSE_URL', 'S3_BUCKET', 'MARGAY_MASTER_KEY', 'REDIS_URL'])
      expect(settings[needed], `${name}: ${needed}`).toBeDefined();
  }
});

test('every name that is used is there: services, networks, volumes, files', () => {
  for (const [name, { networks, depends_on = {}, volumes = [], build }] of services) {
    for (const network of networks) expect(compose.networks, name).toHaveProperty(network);
    for (const other of Object.keys(depends_on)) expect(compose.services, name).toHaveProperty(other);
    for (const volume of volumes) {
      const from = volume.split(':')[0] ?? '';
      if (from.startsWith('./')) expect(existsSync(from), `${name}: ${from}`).toBe(true);
      else expect(compose.volumes, name).toHaveProperty(from);
    }
    if (build) expect(existsSync(build.dockerfile)).toBe(true);
  }
});

test('store addresses name a service on a network that our services share with it', () => {
  for (const [name, { environment: given = {}, networks }] of ours)
    for (const key of ['DATABASE_URL', 'DATABASE_OWNER_URL', 'REDIS_URL', 'CLICKHOUSE_URL', 'S3_ENDPOINT']) {
      const host = new URL(filled(given[key] ?? '')).hostname;
      const store = compose.services[host];
      expect(store, `${name}: ${key} names "${host}"`).toBeDefined();
      expect(store?.networks.some((network) => networks.includes(network))).toBe(true);
    }
});

test('stores are on a network without a way out and publish no port, and no password is written down', () => {
  for (const [name, { networks, ports, environment: given = {} }] of services) {
    if (ours.some(([own]) => own === name)) continue;
    expect(ports, name).toBeUndefined();
    for (const network of networks) expect(compose.networks[network]?.internal, name).toBe(true);
    for (const [key, value] of Object.entries(given))
      if (/PASSWORD|SECRET|KEY/.test(key)) expect(value, `${name}: ${key}`).toMatch(/^\$\{[A-Z0-9_]+:\?\}$/);
  }
});

test('queries run as a user that a service makes before ours start, with the password that ours give', () => {
  const {
    volumes = [],
    command = [],
    depends_on,
    environment: given = {},
  } = compose.services['clickhouse-reader'] ?? {};
  expect(depends_on).toEqual({ clickhouse: { condition: 'service_healthy' } });
  for (const name of ['CLICKHOUSE_PASSWORD', 'CLICKHOUSE_READER_PASSWORD'])
    expect(command[0]).toMatch(new RegExp(`"\\$\\$${name}"`));
  const [file = '', target = ''] = volumes[0]?.split(':') ?? [];
  expect(command[0]).toContain(`--queries-file ${target}`);
  const sql = readFileSync(file, 'utf8');
  for (const [name, { environment: own = {}, depends_on: needed }] of ours) {
    expect(sql, name).toContain(`CREATE USER IF NOT EXISTS ${own['CLICKHOUSE_READER_USER']} `);
    expect(own['CLICKHOUSE_READER_PASSWORD'], name).toBe(given['CLICKHOUSE_READER_PASSWORD']);
    expect(own['CLICKHOUSE_PASSWORD'], name).toBe(given['CLICKHOUSE_PASSWORD']);
    expect(needed?.['clickhouse-reader'], name).toEqual({ condition: 'service_completed_successfully' });
  }
});
