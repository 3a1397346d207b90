/**
 * Reads values of a parsed event as the Python event does (`margay_event`): keys ignore case, the exact key first.
 * What JavaScript might see otherwise than Python is `unknown`, and whoever asks must then take anything for possible.
 */

export const unknown = Symbol('unknown');

export type Json = { readonly [key: string]: unknown };

export const isMapping = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

// eslint-disable-next-line no-control-regex -- the whole of ASCII is meant
const ascii = /^[\u0000-\u007f]*$/;
const isAscii = (text: string): boolean => ascii.test(text);

/** Whether Object.prototype has this name, so that reading it says nothing of an object. */
const isInherited = (key: string): boolean => key in {};

/** Finds a key that differs by case only; among several the first one of the event. */
function foldedKey(map: Json, lower: string, isLengthKept: boolean): string | undefined {
  for (const key in map) if ((!isLengthKept || key.length === lower.length) && key.toLowerCase() === lower) return key;
  return undefined;
}

/** Looks a key up in a mapping; undefined when it is absent. JSON has no undefined of its own. */
export function createLookup(key: string): (map: Json) => unknown {
  const lower = key.toLowerCase();
  const mustAsk = isInherited(key);
  // No character whose lower case is longer or shorter becomes ASCII.
  const isLengthKept = isAscii(lower);
  return (map) => {
    if (mustAsk) {
      if (Object.hasOwn(map, key)) return map[key];
    } else {
      const value = map[key];
      if (value !== undefined) return value;
    }
    const found = foldedKey(map, lower, isLengthKept);
    return found === undefined ? undefined : map[found];
  };
}

/** A number that Python may hold more exactly than JavaScript. */
export const isInexact = (value: unknown): boolean =>
  typeof value === 'number' && (Math.abs(value) > Number.MAX_SAFE_INTEGER || !Number.isFinite(value));

/** What Python takes for false. */
export function isFalsy(value: unknown): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== 'object') return false;
  for (const _ in value) return false;
  return true;
}

/** Lower or upper case, where both languages agree. */
export const changeCase = (value: unknown, change: (text: string) => string): unknown =>
  typeof value === 'string' && isAscii(value) ? change(value) : unknown;

/** Without white space at both ends. */
export function strip(value: unknown): unknown {
  if (typeof value !== 'string' || !isAscii(value)) return unknown;
  let start = 0;
  let end = value.length;
  const isSpace = (code: number) => code === 32 || (code >= 9 && code <= 13) || (code >= 28 && code <= 31);
  while (start < end && isSpace(value.charCodeAt(start))) start += 1;
  while (end > start && isSpace(value.charCodeAt(end - 1))) end -= 1;
  return value.slice(start, end);
}

/** Number of elements, keys or characters. */
export function lengthOf(value: unknown): unknown {
  if (typeof value === 'string') return isAscii(value) ? value.length : unknown;
  if (Array.isArray(value)) return value.length;
  return isMapping(value) ? Object.keys(value).length : unknown;
}

/** An element of a list, or a character. */
export function elementAt(value: unknown, index: number): unknown {
  if (Array.isArray(value)) return (value as readonly unknown[]).at(index) ?? unknown;
  return typeof value === 'string' && isAscii(value) ? (value.at(index) ?? unknown) : unknown;
}

/** What `deep_walk` comes to when it meets something that Python cannot put into a set. */
export const raises = Symbol('raises');

const isHollow = (value: unknown): boolean => Array.isArray(value) && value.every(isHollow);

export type Walk = {
  readonly lookups: readonly ((map: Json) => unknown)[];
  readonly fallback: unknown;
  readonly mode: unknown;
};

function walkList(items: readonly unknown[], walk: Walk, depth: number): unknown {
  const distinct = new Map<unknown, unknown>();
  for (const item of items) {
    const inner = walked(item, walk, depth);
    if (inner === raises || inner === unknown) return inner;
    if (inner === null) continue;
    for (const part of Array.isArray(inner) ? (inner as readonly unknown[]) : [inner]) {
      if (typeof part === 'object' && part !== null) return raises;
      if (isInexact(part)) return unknown;
      // Python takes 1 and True for the same key and keeps the first.
      const key = typeof part === 'boolean' ? Number(part) : part;
      if (!distinct.has(key)) distinct.set(key, part);
    }
  }
  const values = [...distinct.values()];
  if (values.length === 0) return walk.fallback;
  if (walk.mode === 'first') return values[0];
  if (walk.mode === 'last') return values.at(-1);
  return values.length === 1 ? values[0] : values;
}

/** The answer of `deep_walk`, `unknown` or `raises`. */
export function walked(value: unknown, walk: Walk, depth = 0): unknown {
  const lookup = walk.lookups[depth];
  if (lookup === undefined) return isHollow(value) ? walk.fallback : value;
  if (Array.isArray(value)) return walkList(value, walk, depth);
  const next = isMapping(value) ? lookup(value) : undefined;
  return next === undefined || next === null ? walk.fallback : walked(next, walk, depth + 1);
}
