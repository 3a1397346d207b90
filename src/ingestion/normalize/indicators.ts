import { isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import type { IndicatorName } from '../schemas/schema-spec.ts';

/** Standard fields that gather indicators, in the order in which they are written. */
const indicatorFields = [
  'p_any_actor_ids',
  'p_any_aws_account_ids',
  'p_any_aws_arns',
  'p_any_aws_instance_ids',
  'p_any_aws_tags',
  'p_any_domain_names',
  'p_any_emails',
  'p_any_ip_addresses',
  'p_any_mac_addresses',
  'p_any_md5_hashes',
  'p_any_serial_numbers',
  'p_any_sha1_hashes',
  'p_any_sha256_hashes',
  'p_any_trace_ids',
  'p_any_usernames',
] as const;

export type IndicatorField = (typeof indicatorFields)[number];

/** Indicators found in one event. */
export class IndicatorSet {
  readonly #found = new Map<IndicatorField, Set<string>>();

  add(field: IndicatorField, value: string): void {
    const known = this.#found.get(field);
    if (known === undefined) this.#found.set(field, new Set([value]));
    else known.add(value);
  }

  /** Sorted values of each field that has some. */
  *entries(): Iterable<readonly [IndicatorField, readonly string[]]> {
    for (const field of indicatorFields) {
      const values = this.#found.get(field);
      if (values !== undefined) yield [field, [...values].toSorted()];
    }
  }

  get isEmpty(): boolean {
    return this.#found.size === 0;
  }
}

type Scanner = (found: IndicatorSet, value: string) => void;

const append =
  (field: IndicatorField): Scanner =>
  (found, value) =>
    found.add(field, value);

const hash =
  (field: IndicatorField, length: number): Scanner =>
  (found, value) => {
    if (value.length === length && /^[0-9a-fA-F]+$/.test(value)) found.add(field, value.toLowerCase());
  };

const ip: Scanner = (found, value) => {
  if (isIP(value) !== 0) found.add('p_any_ip_addresses', value);
};

const domain: Scanner = (found, value) =>
  found.add('p_any_domain_names', value.startsWith('xn--') ? domainToUnicode(value) || value : value);

const hostname: Scanner = (found, value) =>
  isIP(value) === 0 ? domain(found, value) : found.add('p_any_ip_addresses', value);

const account: Scanner = (found, value) => {
  if (/^\d{12}$/.test(value)) found.add('p_any_aws_account_ids', value);
};

const instance: Scanner = (found, value) => {
  if (value.startsWith('i-')) found.add('p_any_aws_instance_ids', value);
};

const email: Scanner = (found, value) => {
  if (value.includes('@')) found.add('p_any_emails', value);
};

const isArn = (value: string): boolean => value.startsWith('arn:') && value.split(':', 6).length === 6;

/** An ARN names its account, sometimes an instance, and for assumed roles the session, often an e-mail address. */
const arn: Scanner = (found, value) => {
  if (!isArn(value)) return;
  found.add('p_any_aws_arns', value);
  const parts = value.split(':');
  account(found, parts[4] ?? '');
  const resource = parts.slice(5).join(':');
  if (resource.startsWith('instance/')) instance(found, resource.slice(9));
  if (resource.startsWith('assumed-role/')) email(found, resource.split('/').at(-1) ?? '');
};

const netAddress: Scanner = (found, value) => {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(value);
  if (bracketed?.[1] !== undefined) return hostname(found, bracketed[1]);
  const isHostPort = /^[^:]+:\d+$/.test(value);
  return hostname(found, isHostPort ? value.slice(0, value.lastIndexOf(':')) : value);
};

const url: Scanner = (found, value) => {
  if (!URL.canParse(value)) return;
  const host = new URL(value).hostname.replace(/^\[|\]$/g, '');
  if (host !== '') hostname(found, host);
};

const mac: Scanner = (found, value) => {
  if (/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value) || /^([0-9a-f]{4}\.){2}[0-9a-f]{4}$/i.test(value))
    found.add('p_any_mac_addresses', value);
};

const scanners: Readonly<Record<IndicatorName, Scanner>> = {
  actor_id: append('p_any_actor_ids'),
  aws_account_id: account,
  aws_arn: arn,
  aws_arn_only: (found, value) => {
    if (isArn(value)) found.add('p_any_aws_arns', value);
  },
  aws_instance_id: instance,
  aws_tag: append('p_any_aws_tags'),
  domain,
  email,
  hostname,
  ip,
  mac,
  md5: hash('p_any_md5_hashes', 32),
  sha1: hash('p_any_sha1_hashes', 40),
  sha256: hash('p_any_sha256_hashes', 64),
  net_addr: netAddress,
  serial_number: append('p_any_serial_numbers'),
  trace_id: append('p_any_trace_ids'),
  url,
  username: append('p_any_usernames'),
};

/** One function for all indicators of a field; values are trimmed and empty ones skipped. */
export function indicatorScanner(names: readonly IndicatorName[]): Scanner {
  const chosen = names.map((name) => scanners[name]);
  return (found, value) => {
    const trimmed = value.trim();
    if (trimmed === '') return;
    for (const scan of chosen) scan(found, trimmed);
  };
}

function scanAwsText(found: IndicatorSet, key: string, value: string): void {
  if (value.startsWith('arn:')) arn(found, value);
  else if (/instance-?id$/i.test(key)) instance(found, value);
  else if (/^account$|accountid$/i.test(key)) account(found, value);
  else if (/^(publicIp|privateIpAddress|privateIp|ipAddressV4|sourceIPAddress|ipv6Address)$/i.test(key))
    ip(found, value);
  else if (/^(publicDnsName|privateDnsName|domain|domainName)$/i.test(key) && value !== '') domain(found, value);
}

/** Walks the free-form parts of an AWS record, whose keys say what their values are. */
export function scanAwsJson(found: IndicatorSet, value: unknown, key = ''): void {
  if (typeof value === 'string') return scanAwsText(found, key, value.trim());
  if (Array.isArray(value)) {
    for (const item of value) scanAwsJson(found, item, key);
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    const tag =
      'key' in value &&
      'value' in value &&
      typeof value.key === 'string' &&
      typeof value.value === 'string' &&
      entries.length === 2;
    if (tag) found.add('p_any_aws_tags', `${String(value.key)}:${String(value.value)}`);
    for (const [name, item] of entries) scanAwsJson(found, item, name);
  }
}
