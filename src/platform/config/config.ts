import { z } from 'zod';
import { isLoopback, plaintextStores } from './store-transport.ts';

/**
 * Every setting, by the name of its environment variable. Units are in the names. The example file `.env.example`
 * is compared with this list by a test.
 */

const flag = z.enum(['true', 'false'], { error: 'must be "true" or "false"' }).transform((text) => text === 'true');
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be between ${min} and ${max}`);
const url = (...protocols: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

export const settings = z.object({
  MARGAY_HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on. Other than loopback needs TLS.'),
  MARGAY_PORT: whole(0, 65_535).prefault('8080').describe('Port of API, ingest and console; 0 takes a free one.'),
  MARGAY_DATA_DIR: z.string().min(1).default('./data').describe('Folder of everything the embedded stores keep.'),
  MARGAY_PUBLIC_URL: url('http:', 'https:').optional().describe('How users and alerts reach this deployment.'),
  MARGAY_TLS_CERT_FILE: z.string().min(1).optional().describe('PEM certificate chain.'),
  MARGAY_TLS_KEY_FILE: z.string().min(1).optional().describe('PEM private key.'),
  MARGAY_BEHIND_TLS_PROXY: flag.prefault('false').describe('A proxy in front of this server speaks TLS.'),
  MARGAY_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe log line.'),
  MARGAY_MASTER_KEY: z
    .base64()
    .length(44, 'must be 32 bytes in base64')
    .optional()
    .describe('Key that wraps the tenants’ data keys; kept in the data folder when absent.'),
  MARGAY_PREVIOUS_MASTER_KEYS: list
    .refine((keys) => keys.every((key) => /^[A-Za-z0-9+/]{43}=$/.test(key)), 'must be keys of 32 bytes in base64')
    .prefault('')
    .describe('Earlier master keys, comma separated, that still open data keys until `margay keys rotate`.'),
  MARGAY_ALLOW_PLAINTEXT_STORES: flag
    .prefault('false')
    .describe('Let stores on other machines be reached without TLS, as inside a private network. Unsafe elsewhere.'),
  MARGAY_METRICS_TOKEN: z
    .string()
    .min(16, 'must have 16 characters or more')
    .optional()
    .describe('Bearer token of /metrics; without it only loopback may read.'),
  MARGAY_OUTBOUND_ALLOW_CIDRS: list
    .prefault('')
    .describe('Private address ranges that deliveries may reach, comma separated.'),
  MARGAY_ALLOW_WEAK_SANDBOX: flag
    .prefault('false')
    .describe('Let several tenants share a host whose sandbox has only the inner wall. Unsafe.'),
  MARGAY_LAKE_MEMORY_MIB: whole(512, 1_000_000).prefault('2048').describe('Memory ceiling of the embedded lake.'),
  MARGAY_SANDBOX_MEMORY_MIB: whole(256, 1_000_000)
    .prefault('2048')
    .describe('Memory that the interpreters of one process may take together; a warm one takes about 150.'),
  MARGAY_SPARE_READERS: whole(0, 8)
    .prefault('1')
    .describe('Processes for queries of users that each worker keeps started, beside the embedded lake.'),
  MARGAY_WORKER_CONCURRENCY: whole(1, 64).prefault('4').describe('Batches one worker processes at the same time.'),
  MARGAY_WORKER_PROCESSES: whole(1, 64).prefault('1').describe('Worker processes on this machine, without --role.'),
  MARGAY_INTAKE_MEMORY_MIB: whole(32, 100_000)
    .prefault('256')
    .describe('Bodies held in memory until they are stored; one tenant may have half of it.'),
  MARGAY_BACKLOG_TENANT_MIB: whole(1, 100_000_000)
    .prefault('8192')
    .describe('What one tenant may have waiting; beyond it its senders get 429.'),
  MARGAY_BACKLOG_TENANT_MINUTES: whole(1, 100_000)
    .prefault('1440')
    .describe('How long the oldest of it may wait; beyond it its senders get 429.'),
  MARGAY_BACKLOG_TOTAL_MIB: whole(1, 1_000_000_000)
    .prefault('65536')
    .describe('What all tenants may have waiting; beyond it every sender gets 503.'),
  MARGAY_REQUESTS_PER_MINUTE: whole(60, 10_000_000)
    .prefault('6000')
    .describe('API requests of one token or user in a minute.'),
  MARGAY_REFUSALS_PER_MINUTE: whole(10, 10_000_000)
    .prefault('300')
    .describe('API requests of one address without a valid credential in a minute.'),
  MARGAY_GRAPHQL_MANIFEST: z
    .string()
    .min(1)
    .optional()
    .describe('File with operations that clients may ask for by their SHA-256, beside those of our own frontends.'),
  MARGAY_GRAPHQL_LISTED_ONLY: flag
    .prefault('false')
    .describe('Run only operations of that list; command lines and other free clients of GraphQL then stop working.'),
  MARGAY_RULE_INDEX: z
    .enum(['strict', 'matches', 'off'])
    .default('strict')
    .describe('Leave out rules that cannot match; "matches" may lose errors of rules, "off" runs every rule.'),
  MARGAY_RULE_INDEX_VERIFY_PERCENT: whole(0, 100)
    .prefault('1')
    .describe('Share of chunks on which every rule runs, to check the rule index.'),
  MARGAY_RAW_RETENTION_DAYS: whole(1, 3650).prefault('30').describe('How long raw objects are kept.'),
  MARGAY_EVENT_RETENTION_DAYS: whole(7, 3650)
    .prefault('365')
    .describe('How long events stay in the lake; counts for tables made from then on, tenants may choose less.'),
  MARGAY_DELIVERY_LOG_RETENTION_DAYS: whole(1, 3650)
    .prefault('365')
    .describe('How long the log of delivery attempts is kept.'),
  DATABASE_URL: url('postgres:', 'postgresql:').optional().describe('External Postgres, application role.'),
  DATABASE_OWNER_URL: url('postgres:', 'postgresql:')
    .optional()
    .describe('External Postgres, owner role, for migrations.'),
  REDIS_URL: url('redis:', 'rediss:').optional().describe('External Redis for running work.'),
  S3_BUCKET: z
    .string()
    .min(3)
    .max(63)
    .optional()
    .describe('Bucket of raw batches and results, instead of the data folder.'),
  S3_ENDPOINT: url('http:', 'https:').optional().describe('S3-compatible server; Amazon S3 when absent.'),
  MARGAY_S3_REGION: z.string().min(1).default('us-east-1').describe('Region of the bucket.'),
  MARGAY_S3_PATH_STYLE: flag.optional().describe('Bucket in the path of addresses; true by default with S3_ENDPOINT.'),
  MARGAY_S3_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Access key; without it the usual AWS sources are asked.'),
  MARGAY_S3_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('Secret key.'),
  CLICKHOUSE_URL: url('http:', 'https:').optional().describe('External ClickHouse.'),
  MARGAY_LAKE_ENGINE: z
    .enum(['MergeTree', 'ReplicatedMergeTree'])
    .default('MergeTree')
    .describe('Engine of new tables; ReplicatedMergeTree in a Replicated database of a cluster.'),
  CLICKHOUSE_USER: z.string().optional().describe('User of the external ClickHouse.'),
  CLICKHOUSE_PASSWORD: z.string().optional().describe('Password of the external ClickHouse.'),
  CLICKHOUSE_READER_USER: z
    .string()
    .min(1)
    .optional()
    .describe('User of the external ClickHouse as whom queries of users run: it may read and nothing else.'),
  CLICKHOUSE_READER_PASSWORD: z.string().min(1).optional().describe('Password of that user.'),
});

export type Settings = z.output<typeof settings>;
type SettingName = keyof Settings;

/** Settings of the command line; a deployment overlooks them. */
const clientNames: readonly string[] = ['MARGAY_URL', 'MARGAY_API_TOKEN', 'MARGAY_BACKUP_PASSPHRASE'];

const secretNames: ReadonlySet<string> = new Set([
  'MARGAY_MASTER_KEY',
  'MARGAY_PREVIOUS_MASTER_KEYS',
  'MARGAY_METRICS_TOKEN',
  'MARGAY_S3_SECRET_ACCESS_KEY',
  'CLICKHOUSE_PASSWORD',
  'CLICKHOUSE_READER_PASSWORD',
]);

/** Settings that make no sense together; half a configuration must not start. */
function contradictions(values: Settings): string[] {
  const problems: string[] = [];
  const together = (a: SettingName, b: SettingName) => {
    if ((values[a] === undefined) !== (values[b] === undefined)) problems.push(`${a} and ${b}: set both or neither.`);
  };
  together('DATABASE_URL', 'DATABASE_OWNER_URL');
  together('MARGAY_TLS_CERT_FILE', 'MARGAY_TLS_KEY_FILE');
  together('MARGAY_S3_ACCESS_KEY_ID', 'MARGAY_S3_SECRET_ACCESS_KEY');
  together('CLICKHOUSE_READER_USER', 'CLICKHOUSE_READER_PASSWORD');
  if (values.CLICKHOUSE_READER_USER !== undefined) {
    if (values.CLICKHOUSE_URL === undefined)
      problems.push('CLICKHOUSE_READER_USER: there is no CLICKHOUSE_URL; the embedded lake has readers of its own.');
    if (values.CLICKHOUSE_READER_USER === (values.CLICKHOUSE_USER ?? 'default'))
      problems.push('CLICKHOUSE_READER_USER: is the user that also writes. Make one that may only read.');
  }
  if (values.S3_ENDPOINT !== undefined && values.S3_BUCKET === undefined)
    problems.push('S3_BUCKET: S3_ENDPOINT is set, so name the bucket.');
  if (!values.MARGAY_ALLOW_PLAINTEXT_STORES) problems.push(...plaintextStores(values));
  if (!isLoopback(values.MARGAY_HOST) && values.MARGAY_TLS_CERT_FILE === undefined && !values.MARGAY_BEHIND_TLS_PROXY)
    problems.push(
      `MARGAY_HOST: "${values.MARGAY_HOST}" is reachable from other machines. Set MARGAY_TLS_CERT_FILE and MARGAY_TLS_KEY_FILE, or MARGAY_BEHIND_TLS_PROXY=true when a proxy speaks TLS.`,
    );
  return problems;
}

function unknownNames(environment: Readonly<Record<string, string | undefined>>): string[] {
  const known = [...Object.keys(settings.shape), ...clientNames];
  return Object.keys(environment)
    .filter((name) => name.startsWith('MARGAY_') && !known.includes(name))
    .map((name) => `${name}: there is no such setting. See .env.example for all of them.`);
}

/** Thrown once, with every problem; the message is meant for the person who starts the product. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads and checks the whole environment. An empty variable counts as absent.
 * Throws ConfigurationError naming every wrong setting; values of secrets are never quoted.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const present = Object.fromEntries(
    Object.keys(settings.shape).flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const result = settings.safeParse(present);
  const problems = unknownNames(environment);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const name = String(issue.path[0]);
      const given = secretNames.has(name) || name.endsWith('_URL') ? '' : ` (is "${present[name]}")`;
      problems.push(`${name}: ${issue.message}${given}.`);
    }
  } else problems.push(...contradictions(result.data));
  if (!result.success || problems.length > 0)
    throw new ConfigurationError(
      `The configuration has ${problems.length} problem(s):\n${problems.map((text) => `  - ${text}`).join('\n')}`,
    );
  return Object.freeze(result.data);
}

/** Settings as a person may see them: secrets and passwords inside URLs hidden. */
export function describeSettings(values: Settings): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (value === undefined) return [name, undefined];
      if (secretNames.has(name)) return [name, '[hidden]'];
      if (typeof value !== 'string' || !name.endsWith('_URL')) return [name, value];
      const shown = new URL(value);
      if (shown.password !== '') shown.password = 'hidden';
      return [name, shown.href];
    }),
  );
}
