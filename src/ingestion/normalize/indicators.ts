import { isIP } from 'node:net';
import { domainToUnicode } from 'node:url';
import { type IndicatorField, indicatorFields } from '#lake';
import type { IndicatorName } from '../schemas/schema-spec.ts';

const fieldCount = indicatorFields.length;
const placeOf = Object.fromEntries(indicatorFields.map((field, index) => [field, index])) as Readonly<
  Record<IndicatorField, number>
>;
/** An event has a handful of values per field; beyond this a set is faster than looking through a list. */
const listMax = 16;

/** Indicators found in one event. */
export class IndicatorSet {
  readonly #lists: (string[] | undefined)[] = [];
  readonly #sets: (Set<string> | undefined)[] = [];

  add(field: IndicatorField, value: string): void {
    const place = placeOf[field];
    const list = this.#lists[place];
    if (list === undefined) {
      this.#lists[place] = [value];
      return;
    }
    let set = this.#sets[place];
    if (set === undefined && list.length >= listMax) set = this.#sets[place] = new Set(list);
    if (set?.has(value) ?? list.includes(value)) return;
    list.push(value);
    set?.add(value);
  }

  /** Sorted values of each field that has some. */
  *entries(): Iterable<readonly [IndicatorField, readonly string[]]> {
    for (let place = 0; place < fieldCount; place++) {
      const list = this.#lists[place];
      const field = indicatorFields[place];
      if (list !== undefined && field !== undefined) yield [field, list.length > 1 ? list.toSorted() : list];
    }
  }

  get isEmpty(): boolean {
    return this.#lists.length === 0;
  }
}

type Scanner = (found: IndicatorSet, value: string) => unknown;

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

const isArn = (value: string): boolean => /^arn:(?:[^:]*:){4}/.test(value);

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

const awsKeys: readonly (readonly [RegExp, Scanner])[] = [
  [/instance-?id$/i, instance],
  [/^account$|accountid$/i, account],
  [/^(publicIp|privateIpAddress|privateIp|ipAddressV4|sourceIPAddress|ipv6Address)$/i, ip],
  [/^(publicDnsName|privateDnsName|domain|domainName)$/i, (found, value) => value !== '' && domain(found, value)],
];
/** What the value of a key is, remembered: a service uses the same keys in every record. */
const scannerByKey = new Map<string, Scanner | undefined>();
const keysMax = 10_000;

function awsScanner(key: string): Scanner | undefined {
  const known = scannerByKey.get(key);
  if (known !== undefined || scannerByKey.has(key)) return known;
  const found = awsKeys.find(([pattern]) => pattern.test(key))?.[1];
  if (scannerByKey.size >= keysMax) scannerByKey.clear();
  scannerByKey.set(key, found);
  return found;
}

function scanAwsText(found: IndicatorSet, key: string, value: string): void {
  if (value.startsWith('arn:')) arn(found, value);
  else awsScanner(key)?.(found, value);
}

/** Walks the free-form parts of an AWS record, whose keys say what their values are. */
export function scanAwsJson(found: IndicatorSet, value: unknown, key = ''): void {
  if (typeof value === 'string') return scanAwsText(found, key, value.trim());
  if (Array.isArray(value)) {
    for (const item of value) scanAwsJson(found, item, key);
  } else if (typeof value === 'object' && value !== null) {
    const source = value as Readonly<Record<string, unknown>>;
    const names = Object.keys(source);
    if (names.length === 2 && typeof source['key'] === 'string' && typeof source['value'] === 'string')
      found.add('p_any_aws_tags', `${source['key']}:${source['value']}`);
    for (const name of names) scanAwsJson(found, source[name], name);
  }
}
