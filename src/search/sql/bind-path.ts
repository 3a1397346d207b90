import { type Place, SqlProblem } from '../language/sql-problem.ts';
import type { Expr } from '../plan/plan.ts';
import { type Fields, type SqlType, typeName, variantType } from '../plan/type.ts';
import { convert, literalInteger } from './coerce.ts';

/** A step into a value: a key, or an expression giving the place in a list. */
export type PathKey = string | Expr;

/** The declared spelling of a key, if one differs by case alone; else the key as written. */
function spelled(fields: Fields | undefined, key: string): string {
  if (fields === undefined || fields.has(key)) return key;
  const folded = key.toLowerCase();
  return [...fields.keys()].find((name) => name.toLowerCase() === folded) ?? key;
}

const fieldsOf = (type: SqlType | undefined): Fields | undefined => (type?.kind === 'object' ? type.fields : undefined);

/** The type that a declared value has when read from JSON: what is nested stays JSON text with its shape. */
function leafType(declared: SqlType | undefined): SqlType {
  if (declared === undefined) return variantType;
  if (declared.kind === 'object') return { kind: 'variant', shape: declared };
  if (declared.kind === 'array' && (declared.element.kind === 'object' || declared.element.kind === 'variant'))
    return { kind: 'variant', shape: declared };
  return declared;
}

/** A key of an object column: the engine reads only that part of it. */
function insideObject(base: Expr, key: string): Expr {
  const path = base.node === 'path' ? base : undefined;
  const column = path?.base ?? base;
  const fields = fieldsOf(base.type);
  const name = spelled(fields, key);
  const declared = fields?.get(name);
  const type: SqlType = declared?.kind === 'object' ? declared : leafType(declared);
  return { node: 'path', base: column, keys: [...(path?.keys ?? []), name], type };
}

function shapeInside(shape: SqlType | undefined, key: PathKey): SqlType | undefined {
  if (shape?.kind === 'array' && typeof key !== 'string') return shape.element;
  return typeof key === 'string' ? fieldsOf(shape)?.get(spelled(fieldsOf(shape), key)) : undefined;
}

/** A step into JSON text. */
function insideVariant(base: Expr, key: PathKey): Expr {
  const shape = base.type.kind === 'variant' ? base.type.shape : undefined;
  const declared = shapeInside(shape, key);
  const name = typeof key === 'string' ? spelled(fieldsOf(shape), key) : (literalInteger(key) ?? key);
  const isDeeper = base.node === 'extract';
  const keys = [...(isDeeper ? base.keys : []), name];
  return { node: 'extract', base: isDeeper ? base.base : base, keys, type: leafType(declared) };
}

/** A step into an undeclared part of an object column: keys go on in the column, a place in a list needs its text. */
function insideUndeclared(base: Expr & { readonly node: 'path' }, key: PathKey): Expr {
  if (typeof key === 'string' && base.type.kind === 'variant' && base.type.shape === undefined)
    return { node: 'path', base: base.base, keys: [...base.keys, key], type: variantType };
  return insideVariant(base, key);
}

function step(base: Expr, key: PathKey, place: Place | undefined): Expr {
  const { type } = base;
  if (type.kind === 'object') {
    if (typeof key !== 'string') return insideVariant(convert(base, { kind: 'variant', shape: type }), key);
    const isColumn = base.node === 'column' || base.node === 'path';
    return isColumn ? insideObject(base, key) : insideVariant(convert(base, { kind: 'variant', shape: type }), key);
  }
  if (type.kind === 'variant') return base.node === 'path' ? insideUndeclared(base, key) : insideVariant(base, key);
  if (type.kind === 'array') {
    if (typeof key !== 'string') {
      const element = type.element.kind === 'object' ? { kind: 'variant' as const, shape: type.element } : type.element;
      return { node: 'element', array: base, index: key, type: element };
    }
    // A key of a list of objects: nothing has it, as in Snowflake.
    return insideVariant(convert(base, { kind: 'variant', shape: type }), key);
  }
  if (type.kind === 'null') return base;
  if (type.kind === 'string')
    return insideVariant({ node: 'call', name: 'PARSE_JSON', args: [base], type: variantType }, key);
  throw new SqlProblem(`a ${typeName(type)} has nothing inside.`, {
    place,
    suggestion: typeof key === 'string' ? `Leave ":${key}" away.` : undefined,
  });
}

/** The value that lies inside another one. A key that is not there gives NULL. */
export function accessPath(base: Expr, keys: readonly PathKey[], place: Place | undefined): Expr {
  let value = base;
  for (const key of keys) value = step(value, key, place);
  return value;
}
