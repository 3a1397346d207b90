import { isIP, isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isEqual, numberOf } from './values.ts';

/** The conditions of match expressions, by name: what they need, and what they say about a value. */

type ConditionGroup =
  | 'equality'
  | 'string'
  | 'membership'
  | 'list'
  | 'numeric'
  | 'existence'
  | 'ip'
  | 'elements'
  | 'absolute';
/** What stands beside the condition in the expression. */
type ConditionNeeds = 'nothing' | 'any' | 'string' | 'number' | 'list' | 'cidr' | 'expressions';
type FieldType = 'string' | 'number' | 'boolean' | 'ip' | 'array' | 'object' | 'null';

export type Condition = {
  readonly name: string;
  readonly group: ConditionGroup;
  readonly needs: ConditionNeeds;
  readonly isNegated: boolean;
  readonly fieldTypes: readonly FieldType[];
  /** `wanted` is the value of the expression, of the type that it needs. */
  readonly test: (value: unknown, wanted: unknown, isPresent: boolean) => boolean;
};

const every: readonly FieldType[] = ['string', 'number', 'boolean', 'ip', 'array', 'object', 'null'];
const scalars: readonly FieldType[] = ['string', 'number', 'boolean', 'ip'];
const texts: readonly FieldType[] = ['string', 'ip', 'array'];

const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);
type Test = Condition['test'];

const contains: Test = (value, wanted) =>
  typeof value === 'string'
    ? typeof wanted === 'string' && value.includes(wanted)
    : Array.isArray(value) && value.some((item) => isEqual(item, wanted));
const startsWith: Test = (value, wanted) =>
  typeof value === 'string' && typeof wanted === 'string' && value.startsWith(wanted);
const endsWith: Test = (value, wanted) =>
  typeof value === 'string' && typeof wanted === 'string' && value.endsWith(wanted);

const ignoringCase =
  (test: Test): Test =>
  (value, wanted, isPresent) =>
    test(Array.isArray(value) ? value.map(lower) : lower(value), lower(wanted), isPresent);
const not =
  (test: Test): Test =>
  (value, wanted, isPresent) =>
    !test(value, wanted, isPresent);

const isEmpty = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' &&
    !Array.isArray(value) &&
    numberOf(value) === undefined &&
    Object.keys(value).length === 0);

function inNetwork(value: unknown, network: unknown): boolean {
  if (typeof value !== 'string' || typeof network !== 'string' || isIP(value) === 0) return false;
  const address = ipaddr.process(value);
  const [range, bits] = network.includes('/')
    ? ipaddr.parseCIDR(network)
    : [ipaddr.parse(network), network.includes(':') ? 128 : 32];
  return address.kind() === range.kind() && address.match(range, bits);
}

const isPublic = (value: unknown): boolean =>
  typeof value === 'string' && isIP(value) !== 0 && ipaddr.process(value).range() === 'unicast';

const compared =
  (accept: (left: number | bigint, right: number | bigint) => boolean): Test =>
  (value, wanted) => {
    const [left, right] = [numberOf(value), numberOf(wanted)];
    return left !== undefined && right !== undefined && accept(left, right);
  };

function condition(
  group: ConditionGroup,
  needs: ConditionNeeds,
  fieldTypes: readonly FieldType[],
  entries: Readonly<Record<string, Test>>,
  isNegated = false,
): readonly Condition[] {
  return Object.entries(entries).map(([name, test]) => ({ name, group, needs, isNegated, fieldTypes, test }));
}

const elements: Test = () => false;

const all: readonly Condition[] = [
  ...condition('equality', 'any', scalars, { Equals: isEqual, IEquals: ignoringCase(isEqual) }),
  ...condition(
    'equality',
    'any',
    scalars,
    { DoesNotEqual: not(isEqual), DoesNotIEqual: not(ignoringCase(isEqual)) },
    true,
  ),
  ...condition('string', 'string', texts, {
    Contains: contains,
    StartsWith: startsWith,
    EndsWith: endsWith,
    IContains: ignoringCase(contains),
    IStartsWith: ignoringCase(startsWith),
    IEndsWith: ignoringCase(endsWith),
  }),
  ...condition(
    'string',
    'string',
    texts,
    {
      DoesNotContain: not(contains),
      DoesNotStartWith: not(startsWith),
      DoesNotEndWith: not(endsWith),
      DoesNotIContain: not(ignoringCase(contains)),
      DoesNotIStartWith: not(ignoringCase(startsWith)),
      DoesNotIEndWith: not(ignoringCase(endsWith)),
    },
    true,
  ),
  ...condition('list', 'any', ['array'], {
    Has: (value, wanted) => Array.isArray(value) && value.some((item) => isEqual(item, wanted)),
  }),
  ...condition(
    'list',
    'any',
    ['array'],
    { DoesNotHave: (value, wanted) => !(Array.isArray(value) && value.some((item) => isEqual(item, wanted))) },
    true,
  ),
  ...condition('membership', 'list', scalars, {
    IsIn: (value, wanted) => Array.isArray(wanted) && wanted.some((item) => isEqual(value, item)),
  }),
  ...condition(
    'membership',
    'list',
    scalars,
    { IsNotIn: (value, wanted) => !(Array.isArray(wanted) && wanted.some((item) => isEqual(value, item))) },
    true,
  ),
  ...condition('numeric', 'number', ['number'], {
    IsGreaterThan: compared((left, right) => left > right),
    IsGreaterThanOrEquals: compared((left, right) => left >= right),
    IsGreaterThanOrEqual: compared((left, right) => left >= right),
    IsLessThan: compared((left, right) => left < right),
    IsLessThanOrEquals: compared((left, right) => left <= right),
    IsLessThanOrEqual: compared((left, right) => left <= right),
  }),
  ...condition('existence', 'nothing', every, {
    Exists: (_value, _wanted, isPresent) => isPresent,
    IsNotNull: (value) => value !== null && value !== undefined,
    IsNotNullOrEmpty: (value) => !isEmpty(value),
  }),
  ...condition(
    'existence',
    'nothing',
    every,
    {
      DoesNotExist: (_value, _wanted, isPresent) => !isPresent,
      IsNull: (value) => value === null || value === undefined,
      IsNullOrEmpty: (value) => isEmpty(value),
    },
    true,
  ),
  ...condition('ip', 'nothing', ['ip', 'string'], {
    IsIPAddress: (value) => typeof value === 'string' && isIP(value) !== 0,
    IsIPv4Address: (value) => typeof value === 'string' && isIPv4(value),
    IsIPv6Address: (value) => typeof value === 'string' && isIPv6(value),
    IsIPAddressPublic: isPublic,
    IsIPAddressPrivate: (value) => typeof value === 'string' && isIP(value) !== 0 && !isPublic(value),
  }),
  ...condition('ip', 'cidr', ['ip', 'string'], { IsIPAddressInCIDR: inNetwork }),
  ...condition('ip', 'cidr', ['ip', 'string'], { IsIPAddressNotInCIDR: not(inNetwork) }, true),
  ...condition('elements', 'expressions', ['array'], {
    AllElements: elements,
    AnyElement: elements,
    NoElement: elements,
    OnlyOneElement: elements,
  }),
  ...condition('absolute', 'nothing', [], { AlwaysTrue: () => true, AlwaysFalse: () => false }),
];

export const conditions: ReadonlyMap<string, Condition> = new Map(all.map((item) => [item.name, item]));

/** Whether a text is an address or a network. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  if (isIP(address) === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (address.includes(':') ? 128 : 32));
}
