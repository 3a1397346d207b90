/** Subjects of a plan as functions of the event at hand. */
import type { SubjectSpec } from './plan.ts';
import {
  changeCase,
  createLookup,
  elementAt,
  isFalsy,
  isMapping,
  type Json,
  lengthOf,
  raises,
  strip,
  unknown,
  walked,
} from './values.ts';

/** The event that subjects are read from. */
export type Cursor = { event: unknown; stamp: number };

type Read = () => unknown;
export type Subject = {
  /** The value, or `unknown`. */
  readonly read: Read;
  /** All values, for a subject that stands for each element of a list; undefined when they cannot be told. */
  readonly readMany: (() => readonly unknown[] | undefined) | undefined;
};

const isText = (value: unknown): value is string => typeof value === 'string';

/** A default: one constant, or an empty collection that is named by a text. */
function defaultOf(value: unknown): unknown {
  if (!Array.isArray(value)) return unknown;
  if (value.length === 1) return value[0] as unknown;
  return value[0] === '{}' ? {} : value[0] === '[]' ? [] : unknown;
}

function lookupsOf(value: unknown): readonly ((map: Json) => unknown)[] | undefined {
  return Array.isArray(value) && value.every(isText) ? value.map(createLookup) : undefined;
}

type Change = (value: unknown) => unknown;

function createGet([key, fallback]: readonly unknown[]): Change {
  if (!isText(key)) return () => unknown;
  const lookup = createLookup(key);
  const otherwise = defaultOf(fallback);
  return (value) => {
    if (!isMapping(value)) return otherwise;
    const found = lookup(value);
    return found === undefined ? otherwise : found;
  };
}

function createWalk([keys, fallback, mode]: readonly unknown[]): (value: unknown) => unknown {
  const lookups = lookupsOf(keys);
  if (lookups === undefined) return () => unknown;
  const walk = { lookups, fallback: defaultOf(fallback), mode };
  return (value) => walked(value, walk);
}

const knownOr = (found: unknown): unknown => (found === raises ? unknown : found);
const whetherRaised = (found: unknown): unknown => (found === unknown ? unknown : found === raises);

/** One step of a chain; it is never handed `unknown`. */
function createChange({ kind, args }: SubjectSpec): Change {
  const otherwise = defaultOf(args[0]);
  const walk = kind === 'walk' || kind === 'reach' ? createWalk(args) : undefined;
  const index = args[0];
  switch (kind) {
    case 'get':
      return createGet(args);
    case 'walk':
      return (value) => knownOr(walk?.(value));
    case 'reach':
      return (value) => whetherRaised(walk?.(value));
    case 'ifnone':
      return (value) => (value === null ? otherwise : value);
    case 'ifblank':
      return (value) => (value === null || value === '' ? otherwise : value);
    case 'or':
      return (value) => (isFalsy(value) ? otherwise : value);
    case 'lower':
      return (value) => changeCase(value, (text) => text.toLowerCase());
    case 'upper':
      return (value) => changeCase(value, (text) => text.toUpperCase());
    case 'strip':
      return strip;
    case 'str':
      return (value) => (isText(value) ? value : unknown);
    case 'len':
      return lengthOf;
    case 'index':
      return (value) => (typeof index === 'number' ? elementAt(value, index) : unknown);
    default:
      return () => unknown;
  }
}

function elementsOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  if (isMapping(value)) return Object.keys(value);
  return value === unknown || isText(value) ? undefined : [];
}

/** Functions of all subjects; a value is read once per event. */
export function createSubjects(specs: readonly SubjectSpec[], cursor: Cursor): readonly Subject[] {
  const subjects: Subject[] = [];
  for (const spec of specs) {
    const base = subjects[spec.base];
    if (base === undefined)
      subjects.push({ read: spec.kind === 'event' ? () => cursor.event : () => unknown, readMany: undefined });
    else if (spec.kind === 'elem' && base.readMany === undefined)
      subjects.push({ read: () => unknown, readMany: () => elementsOf(base.read()) });
    else if (base.readMany !== undefined) subjects.push(manyOf(base.readMany, spec));
    else subjects.push({ read: remembered(base.read, createChange(spec), cursor), readMany: undefined });
  }
  return subjects;
}

function manyOf(readMany: () => readonly unknown[] | undefined, spec: SubjectSpec): Subject {
  if (spec.kind === 'elem') {
    const flat = () => {
      const lists = readMany()?.map(elementsOf);
      return lists?.every((list) => list !== undefined) ? lists.flat() : undefined;
    };
    return { read: () => unknown, readMany: flat };
  }
  const change = createChange(spec);
  const changed = () => readMany()?.map((value) => (value === unknown ? unknown : change(value)));
  return { read: () => unknown, readMany: changed };
}

function remembered(read: Read, change: Change, cursor: Cursor): Read {
  let stamp = -1;
  let value: unknown;
  return () => {
    if (stamp === cursor.stamp) return value;
    const base = read();
    value = base === unknown ? unknown : change(base);
    stamp = cursor.stamp;
    return value;
  };
}
