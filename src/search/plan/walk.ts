import type { Expr, OrderItem, Window } from './plan.ts';

const ordered = (items: readonly OrderItem[] | undefined): readonly Expr[] => (items ?? []).map(({ expr }) => expr);
const windowParts = (over: Window | undefined): readonly Expr[] =>
  over === undefined ? [] : [...over.partitionBy, ...ordered(over.orderBy)];

/** The expressions directly inside one, those of its subqueries left out. */
export function childrenOf(expr: Expr): readonly Expr[] {
  switch (expr.node) {
    case 'literal':
    case 'number':
    case 'time':
    case 'column':
    case 'item':
    case 'parameter':
    case 'exists':
    case 'subquery':
      return [];
    case 'path':
      return [expr.base];
    case 'extract':
      return [expr.base, ...expr.keys.filter((key): key is Expr => typeof key === 'object')];
    case 'element':
      return [expr.array, expr.index];
    case 'operator':
    case 'in query':
      return expr.args;
    case 'call':
      return [...expr.args, ...ordered(expr.orderBy), ...windowParts(expr.over)];
    case 'convert':
      return [expr.expr];
    case 'case':
      return [...expr.branches.flat(), expr.otherwise];
    case 'interval':
      return [expr.amount];
    case 'lambda':
      return [expr.body];
    case 'list':
      return expr.items;
    case 'in':
      return [expr.expr, ...expr.items];
  }
}

const mapItems = (items: readonly OrderItem[], change: (expr: Expr) => Expr): readonly OrderItem[] =>
  items.map((item) => ({ ...item, expr: change(item.expr) }));

function mapCall(expr: Expr & { readonly node: 'call' }, change: (expr: Expr) => Expr): Expr {
  const { over, orderBy } = expr;
  return {
    ...expr,
    args: expr.args.map(change),
    ...(orderBy === undefined ? {} : { orderBy: mapItems(orderBy, change) }),
    ...(over === undefined
      ? {}
      : { over: { ...over, partitionBy: over.partitionBy.map(change), orderBy: mapItems(over.orderBy, change) } }),
  };
}

/** The same expression with each direct part changed. */
export function mapChildren(expr: Expr, change: (expr: Expr) => Expr): Expr {
  switch (expr.node) {
    case 'literal':
    case 'number':
    case 'time':
    case 'column':
    case 'item':
    case 'parameter':
    case 'exists':
    case 'subquery':
      return expr;
    case 'path':
      return { ...expr, base: change(expr.base) };
    case 'extract':
      return {
        ...expr,
        base: change(expr.base),
        keys: expr.keys.map((key) => (typeof key === 'object' ? change(key) : key)),
      };
    case 'element':
      return { ...expr, array: change(expr.array), index: change(expr.index) };
    case 'operator':
    case 'in query':
      return { ...expr, args: expr.args.map(change) };
    case 'call':
      return mapCall(expr, change);
    case 'convert':
      return { ...expr, expr: change(expr.expr) };
    case 'case':
      return {
        ...expr,
        branches: expr.branches.map(([when, then]) => [change(when), change(then)] as const),
        otherwise: change(expr.otherwise),
      };
    case 'interval':
      return { ...expr, amount: change(expr.amount) };
    case 'lambda':
      return { ...expr, body: change(expr.body) };
    case 'list':
      return { ...expr, items: expr.items.map(change) };
    case 'in':
      return { ...expr, expr: change(expr.expr), items: expr.items.map(change) };
  }
}

/** Whether the expression or anything inside it is so. */
export function some(expr: Expr, is: (expr: Expr) => boolean): boolean {
  return is(expr) || childrenOf(expr).some((child) => some(child, is));
}

/** A text that two expressions share when they mean the same. */
export const fingerprint = (expr: Expr): string =>
  JSON.stringify(expr, (_key, value: unknown) => (value instanceof Map ? undefined : value));
