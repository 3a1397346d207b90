import { numberText } from '#platform/json';
import type { KeySpecifier } from '../content/types/match-expression.ts';
import { SimpleError } from './simple-error.ts';

/** Reading values out of events as Python detections see them: keys ignore case, and what is missing is null. */

/** A key, an index, or `*` for all elements. */
type Step = string | number;
/** The value at a path; `isPresent` is false when the key is not there. */
type Found = { readonly value: unknown; readonly isPresent: boolean };
export type Getter = (event: unknown) => Found;

const missing: Found = { value: null, isPresent: false };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && numberText(value) === undefined;

function member(value: unknown, name: string): Found {
  if (!isObject(value)) return missing;
  if (Object.hasOwn(value, name)) return { value: value[name], isPresent: true };
  const folded = name.toLowerCase();
  const other = Object.keys(value).find((key) => key.toLowerCase() === folded);
  return other === undefined ? missing : { value: value[other], isPresent: true };
}

function element(value: unknown, index: number): Found {
  if (!Array.isArray(value)) return missing;
  const at = index < 0 ? value.length + index : index;
  return at in value ? { value: value[at], isPresent: true } : missing;
}

/** Follows steps; `*` gathers the values of all elements. */
function follow(value: unknown, steps: readonly Step[]): Found {
  let found: Found = { value, isPresent: true };
  for (const [position, step] of steps.entries()) {
    if (step === '*') {
      if (!Array.isArray(found.value)) return missing;
      const rest = steps.slice(position + 1);
      const inner = found.value.map((item) => follow(item, rest)).filter((item) => item.isPresent);
      return inner.length === 0 ? missing : { value: inner.map((item) => item.value), isPresent: true };
    }
    found = typeof step === 'number' ? element(found.value, step) : member(found.value, step);
    if (!found.isPresent) return missing;
  }
  return found;
}

/** Steps of `a.b[2].c` or `a[*].b`. Throws SimpleError. */
function stepsOf(text: string, path: readonly (string | number)[]): readonly Step[] {
  const steps: Step[] = [];
  const pattern = /(?:^|\.)([^.[\]]+)|\[(\*|-?\d+)\]/gy;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) throw new SimpleError('keySpecifier', path, `"${text}" is no key path such as a.b[2].c`);
    const [, name, index] = match;
    steps.push(name ?? (index === '*' ? '*' : Number(index)));
  }
  return steps;
}

/** The getter of a key path. */
export function pathGetter(text: string, path: readonly (string | number)[]): Getter {
  const steps = stepsOf(text, path);
  return (event) => follow(event, steps);
}

/** The getter of whichever key the expression has, or undefined when it has none. Throws SimpleError for several. */
export function getterOf(key: KeySpecifier, path: readonly (string | number)[]): Getter | undefined {
  const { Key, DeepKey, KeyPath } = key;
  if ([Key, DeepKey, KeyPath].filter((part) => part !== undefined).length > 1)
    throw new SimpleError('keySpecifier', path, 'has more than one of Key, DeepKey and KeyPath');
  if (Key !== undefined) return (event) => member(event, Key);
  if (DeepKey !== undefined) return (event) => follow(event, DeepKey);
  return KeyPath === undefined ? undefined : pathGetter(KeyPath, [...path, 'KeyPath']);
}

/** A value as text in a title or a dedup string. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  return numberText(value) ?? JSON.stringify(value);
}

/** The value as a number, exact integers of any size as bigint; undefined for what is none. */
export function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return value;
  const text = numberText(value);
  if (text === undefined) return undefined;
  return /^-?\d+$/.test(text) ? BigInt(text) : Number(text);
}

/** Equality as Python has it for JSON values: 1 and 1.0 are equal, "1" and 1 are not. */
export function isEqual(left: unknown, right: unknown): boolean {
  const [a, b] = [numberOf(left), numberOf(right)];
  // A bigint and a number of equal value are loosely equal only.
  if (a !== undefined && b !== undefined) return a == b;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right;
  return JSON.stringify(left) === JSON.stringify(right);
}
