/** Types of values as the language knows them. How the engine holds each of them is the printer's business. */

type ScalarKind = 'string' | 'integer' | 'float' | 'boolean' | 'timestamp' | 'date' | 'interval' | 'null';

export type Fields = ReadonlyMap<string, SqlType>;

export type SqlType =
  | { readonly kind: ScalarKind }
  /** A column of declared or free keys, in the engine's own form. */
  | { readonly kind: 'object'; readonly fields?: Fields }
  | { readonly kind: 'array'; readonly element: SqlType }
  /** Any JSON value, held as its text. `shape` is what a schema says about it. */
  | { readonly kind: 'variant'; readonly shape?: SqlType };

export const stringType: SqlType = { kind: 'string' };
export const integerType: SqlType = { kind: 'integer' };
export const floatType: SqlType = { kind: 'float' };
export const booleanType: SqlType = { kind: 'boolean' };
export const timestampType: SqlType = { kind: 'timestamp' };
export const dateType: SqlType = { kind: 'date' };
export const intervalType: SqlType = { kind: 'interval' };
export const nullType: SqlType = { kind: 'null' };
export const variantType: SqlType = { kind: 'variant' };
export const arrayOf = (element: SqlType): SqlType => ({ kind: 'array', element });

const numberKinds: ReadonlySet<string> = new Set(['integer', 'float']);
const timeKinds: ReadonlySet<string> = new Set(['timestamp', 'date']);

export const isNumber = ({ kind }: SqlType): boolean => numberKinds.has(kind);
export const isTime = ({ kind }: SqlType): boolean => timeKinds.has(kind);
/** Whether a value of this type may hold other values. */
const isNested = ({ kind }: SqlType): boolean => kind === 'object' || kind === 'array' || kind === 'variant';

export function sameType(a: SqlType, b: SqlType): boolean {
  if (a.kind === 'array' && b.kind === 'array') return sameType(a.element, b.element);
  return a.kind === b.kind;
}

/** The word for a type that people read in messages and column lists. */
export function typeName(type: SqlType): string {
  return type.kind === 'array' ? `array(${typeName(type.element)})` : type.kind;
}

/** What holds values of both types, as in the branches of a CASE; undefined when nothing but text would. */
export function commonType(a: SqlType, b: SqlType): SqlType | undefined {
  if (a.kind === 'null') return b;
  if (b.kind === 'null' || sameType(a, b)) return a;
  if (isNumber(a) && isNumber(b)) return floatType;
  if (isTime(a) && isTime(b)) return timestampType;
  if (a.kind === 'array' && b.kind === 'array') return arrayOf(commonType(a.element, b.element) ?? variantType);
  if (isNested(a) || isNested(b)) return variantType;
  return undefined;
}
