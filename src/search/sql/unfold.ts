import type { Expr, Relation } from '../plan/plan.ts';
import { integerType, type SqlType, stringType, variantType } from '../plan/type.ts';
import { type Binder, type Place, whereClause } from './binder.ts';
import { convert, toArray } from './coerce.ts';
import { placeOf } from './node.ts';
import type { From } from './scope.ts';

const itemType = (type: SqlType): SqlType => {
  if (type.kind === 'array')
    return type.element.kind === 'object' ? { kind: 'variant', shape: type.element } : type.element;
  const shape = type.kind === 'variant' ? type.shape : undefined;
  return shape?.kind === 'array' ? { kind: 'variant', shape: shape.element } : variantType;
};

type Part = 'key' | 'index' | 'value';

/** What was unfolded, the rows it makes, and the parts of each of its items. */
export type Unfolded = {
  readonly relation: Relation & { readonly kind: 'flatten' };
  readonly expr: Expr;
  item(part: Part): Expr;
};

/** A row of the input for each item of a list, or for each key of an object. Without items the row stays if `isOuter`. */
export function unfold(
  binder: Binder,
  node: unknown,
  at: Omit<Place, 'clause'>,
  input: From,
  isOuter: boolean,
): Unfolded {
  const scope = { tables: input.tables, parent: at.scope };
  const value = binder.expr(node, { ...at, scope, clause: whereClause });
  const expr =
    value.type.kind === 'object'
      ? convert(value, { kind: 'variant', shape: value.type })
      : value.type.kind === 'array' || value.type.kind === 'variant'
        ? value
        : toArray(value, placeOf(node));
  const alias = binder.fresh('f');
  const types: Readonly<Record<Part, SqlType>> = { key: stringType, index: integerType, value: itemType(expr.type) };
  return {
    relation: { kind: 'flatten', alias, input: input.relation, expr, isOuter },
    expr,
    item: (part) => ({ node: 'item', flatten: alias, part, type: types[part] }),
  };
}
