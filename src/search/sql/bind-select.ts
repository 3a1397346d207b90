import { SqlProblem } from '../language/sql-problem.ts';
import type { ColumnOut, Expr, OrderItem, Output, Select } from '../plan/plan.ts';
import { booleanType, integerType, type SqlType, variantType } from '../plan/type.ts';
import { childrenOf, fingerprint, mapChildren, some } from '../plan/walk.ts';
import { bindOrder, isAggregateCall } from './bind-call.ts';
import { bindFrom } from './bind-from.ts';
import { type Binder, havingClause, type Place, selectClause, whereClause } from './binder.ts';
import { unfolded } from './clickhouse/array-join.ts';
import { convert, literal, literalInteger } from './coerce.ts';
import {
  type Identifier,
  identifierOf,
  isNode,
  listOf,
  matches,
  type Node,
  nodeOf,
  objectName,
  placeOf,
  refuseParts,
  tagged,
} from './node.ts';
import type { Scope, ScopeColumn } from './scope.ts';

type Context = Omit<Place, 'clause'>;
type Item = { readonly name: string; readonly alias?: Identifier; bind(): Expr };

/** The name of a column that nobody named: the last key of a path, the name of a column or function. */
function nameOf(node: unknown, index: number): string {
  const { tag, body } = tagged(node);
  if (tag === 'Identifier') return identifierOf(body).text;
  if (tag === 'CompoundIdentifier') return identifierOf(listOf(body).at(-1)).text;
  if (tag === 'Nested') return nameOf(body, index);
  if (tag === 'Cast') return nameOf(nodeOf(body)['expr'], index);
  if (tag === 'Function') return objectName(nodeOf(body)['name'])[0]?.text.toLowerCase() ?? `column_${index}`;
  if (tag === 'JsonAccess') {
    const last = tagged(listOf(nodeOf(nodeOf(body)['path'])['path']).at(-1));
    if (last.tag === 'Dot') return String(nodeOf(last.body)['key']);
    return nameOf(nodeOf(body)['value'], index);
  }
  return `column_${index}`;
}

/** A bound item, made when first asked for; an alias that needs itself is refused. */
function lazily(bind: () => Expr, name: string): () => Expr {
  let expr: Expr | undefined;
  let isBinding = false;
  return () => {
    if (expr !== undefined) return expr;
    if (isBinding) throw new SqlProblem(`"${name}" is defined by itself.`);
    isBinding = true;
    try {
      expr = bind();
    } finally {
      isBinding = false;
    }
    return expr;
  };
}

/** `EXCLUDE (a, b)`, or `EXCEPT (a, b)` in ClickHouse, as lower-case names. */
function excludedNames(options: Node): ReadonlySet<string> {
  const { opt_exclude: exclude, opt_except: except } = options;
  if (except !== undefined && except !== null) {
    const { first_element: first, additional_elements: more } = nodeOf(except);
    return new Set([first, ...listOf(more)].map((name) => identifierOf(name).text.toLowerCase()));
  }
  if (exclude === undefined || exclude === null) return new Set();
  const { tag, body } = tagged(exclude);
  const names = tag === 'Multiple' ? listOf(body) : [body];
  return new Set(names.flatMap(objectName).map(({ text }) => text.toLowerCase()));
}

function star(columns: readonly ScopeColumn[], options: Node): readonly Item[] {
  refuseParts(options, {
    opt_replace: 'REPLACE after *',
    opt_ilike: 'ILIKE after *',
    opt_rename: 'RENAME after *',
  });
  const excluded = excludedNames(options);
  return columns
    .filter(({ name, isHidden }) => !isHidden && !excluded.has(name.toLowerCase()))
    .map(({ name, expr }) => ({ name, bind: () => expr }));
}

function itemsOf(binder: Binder, projection: readonly unknown[], at: Context, scope: () => Scope): readonly Item[] {
  return projection.flatMap((entry, index): readonly Item[] => {
    const { tag, body } = tagged(entry);
    const bindIn = (node: unknown) => () => binder.expr(node, { ...at, scope: scope(), clause: selectClause });
    if (tag === 'UnnamedExpr') {
      const name = nameOf(body, index + 1);
      return [{ name, bind: lazily(bindIn(body), name) }];
    }
    if (tag === 'ExprWithAlias') {
      const node = nodeOf(body);
      const alias = identifierOf(node['alias']);
      return [{ name: alias.text, alias, bind: lazily(bindIn(node['expr']), alias.text) }];
    }
    if (tag === 'Wildcard') {
      if (scope().tables.length === 0) throw new SqlProblem('"*" needs FROM.', { place: placeOf(entry) });
      return star(
        scope().tables.flatMap(({ columns }) => columns),
        nodeOf(body),
      );
    }
    if (tag !== 'QualifiedWildcard')
      throw new SqlProblem(`${tag} in SELECT is not supported.`, { place: placeOf(entry) });
    const [kind, options] = listOf(body);
    const parts = objectName(tagged(kind).body);
    const wanted = parts.at(-1);
    const table = scope().tables.find(({ name }) => wanted !== undefined && matches(wanted, name));
    if (table === undefined)
      throw new SqlProblem(`there is no table "${parts.map(({ text }) => text).join('.')}" in FROM.`, {
        place: wanted?.place,
      });
    return star(
      table.columns.map((column) => ({ ...column, isHidden: column.name.startsWith('#') })),
      nodeOf(options),
    );
  });
}

/** `1` means the first column of the select list. */
function byPosition(expr: Expr, outputs: readonly Output[], node: unknown): Expr {
  const position = literalInteger(expr);
  if (position === undefined) return expr;
  const output = outputs[position - 1];
  if (output === undefined)
    throw new SqlProblem(`there is no column number ${position} in SELECT.`, { place: placeOf(node) });
  return output.expr;
}

function bindGroups(binder: Binder, node: unknown, at: Place, outputs: readonly Output[]): readonly Expr[] {
  const { tag, body } = tagged(node ?? { Expressions: [[], []] });
  // `GROUP BY ALL` is a node without a body in the parser's tree.
  if (tag !== 'Expressions') return outputs.map(({ expr }) => expr).filter((expr) => !some(expr, isAggregateCall));
  const [items, modifiers] = listOf(body);
  if (listOf(modifiers).length > 0) throw new SqlProblem('WITH after GROUP BY is not supported.');
  const flat = listOf(items).flatMap((item) => (tagged(item).tag === 'Tuple' ? listOf(tagged(item).body) : [item]));
  return flat.map((item) => {
    const kind = tagged(item).tag;
    if (kind === 'Rollup' || kind === 'Cube' || kind === 'GroupingSets')
      throw new SqlProblem(`${kind.toUpperCase()} is not supported.`, { place: placeOf(item) });
    return byPosition(binder.expr(item, at), outputs, item);
  });
}

const needsText = ({ kind, ...rest }: SqlType): boolean =>
  kind === 'object' || (kind === 'array' && 'element' in rest && rest.element.kind === 'object');

/** Objects can be grouped and compared as their text only. */
function textKeys(keys: readonly Expr[]): (expr: Expr) => Expr {
  const known = new Map(
    keys
      .filter(({ type }) => needsText(type))
      .map((key) => [fingerprint(key), convert(key, { kind: 'variant', shape: key.type })]),
  );
  if (known.size === 0) return (expr) => expr;
  const replace = (expr: Expr): Expr => {
    const key = known.get(fingerprint(expr));
    if (key !== undefined) return key;
    const changed = mapChildren(expr, replace);
    // What was read from inside the object is now read from inside its text.
    if (changed.node !== 'path' || changed.base.type.kind === 'object') return changed;
    return { node: 'extract', base: changed.base, keys: changed.keys, type: changed.type };
  };
  return replace;
}

/** The first column that is neither grouped nor inside an aggregate. */
function ungrouped(expr: Expr, keys: ReadonlySet<string>): string | undefined {
  if (keys.has(fingerprint(expr)) || isAggregateCall(expr)) return undefined;
  if (expr.node === 'column') return expr.name;
  if (expr.node === 'item') return expr.part;
  let found: string | undefined;
  for (const child of childrenOf(expr)) found ??= ungrouped(child, keys);
  return found;
}

function refuseUngrouped(
  parts: readonly (Expr | undefined)[],
  keys: readonly Expr[],
  outputs: readonly Output[],
): void {
  const known = new Set(keys.map(fingerprint));
  for (const part of parts) {
    const name = part === undefined ? undefined : ungrouped(part, known);
    if (part === undefined || name === undefined) continue;
    const output = outputs.find(({ expr }) => expr === part);
    throw new SqlProblem(`"${output?.name ?? name}" is neither in GROUP BY nor inside an aggregate.`, {
      suggestion: 'Add it to GROUP BY, or write ANY_VALUE(…) around it.',
    });
  }
}

/** In ORDER BY, names of the select list come before those of the tables. */
function orderScope(scope: Scope, items: readonly Item[]): (node: unknown) => Expr | undefined {
  return (node) => {
    const { tag, body } = tagged(node);
    if (tag !== 'Identifier' || scope === undefined) return undefined;
    const name = identifierOf(body);
    return items.find((item) => matches(name, item.name))?.bind();
  };
}

function bindSorting(
  binder: Binder,
  nodes: unknown,
  at: Place,
  items: readonly Item[],
  outputs: readonly Output[],
): readonly OrderItem[] {
  const named = orderScope(at.scope, items);
  const inner: Binder = {
    ...binder,
    expr: (node, place) => named(node) ?? byPosition(binder.expr(node, place), outputs, node),
  };
  return bindOrder(inner, nodes, at);
}

function refuseSelectParts(node: Node): void {
  refuseParts(node, {
    into: 'INTO',
    lateral_views: 'LATERAL VIEW',
    connect_by: 'CONNECT BY',
    cluster_by: 'CLUSTER BY',
    distribute_by: 'DISTRIBUTE BY',
    sort_by: 'SORT BY',
    named_window: 'WINDOW',
    value_table_mode: 'AS STRUCT',
    optimizer_hints: 'A hint',
    exclude: 'EXCLUDE after the list',
  });
  const { distinct } = node;
  if (distinct !== undefined && distinct !== null && tagged(distinct).tag === 'On')
    throw new SqlProblem('DISTINCT ON is not supported.', { suggestion: 'Use QUALIFY ROW_NUMBER() OVER (…) = 1.' });
}

const both = (left: Expr | undefined, right: Expr | undefined): Expr | undefined =>
  left === undefined || right === undefined
    ? (left ?? right)
    : { node: 'operator', operator: 'and', args: [left, right], type: booleanType };

/** `LIMIT 2 BY a, b`: so many rows of each group. */
export type PerGroup = { readonly rows: number; readonly keys: readonly unknown[] };

/** LIMIT BY as a condition: the place of a row among those of its group, in the order of the query. */
function limited(
  binder: Binder,
  perGroup: PerGroup | undefined,
  at: Place,
  orderBy: readonly OrderItem[],
  isDistinct: boolean,
): Expr | undefined {
  if (perGroup === undefined) return undefined;
  if (isDistinct)
    throw new SqlProblem('LIMIT BY after DISTINCT is not supported.', {
      suggestion: 'Put the query with DISTINCT in parentheses.',
    });
  const partitionBy = perGroup.keys.map((key) => binder.expr(key, at));
  const place: Expr = { node: 'call', name: 'ROW_NUMBER', args: [], over: { partitionBy, orderBy }, type: integerType };
  return { node: 'operator', operator: '<=', args: [place, literal(perGroup.rows, integerType)], type: booleanType };
}

/** One SELECT, with the ORDER BY that belongs to it. */
export function bindSelect(
  binder: Binder,
  body: unknown,
  at: Context,
  orderNodes: unknown,
  perGroup?: PerGroup,
): { readonly select: Select; readonly columns: readonly ColumnOut[] } {
  const node = nodeOf(body);
  refuseSelectParts(node);
  const from = unfolded(binder, node, orderNodes, at, bindFrom(binder, listOf(node['from']), at));
  let items: readonly Item[] = [];
  const alias = (name: Identifier): Expr | undefined =>
    items.find((item) => item.alias !== undefined && matches(name, item.alias.text))?.bind();
  const scope: Scope = { tables: from?.tables ?? [], alias, parent: at.scope };
  items = itemsOf(binder, listOf(node['projection']), at, () => scope);
  const clauseAt = (clause: Place['clause']): Place => ({ ...at, scope, clause });
  const test = (part: unknown, clause: Place['clause']): Expr | undefined =>
    part === undefined || part === null
      ? undefined
      : convert(binder.expr(part, clauseAt(clause)), booleanType, placeOf(part));
  const raw = items.map((item): Output => ({ id: binder.fresh('c'), name: item.name, expr: item.bind() }));
  const isDistinct = isNode(node['distinct']) ? false : node['distinct'] === 'Distinct';
  const groups = bindGroups(binder, node['group_by'], clauseAt({ ...whereClause, name: 'GROUP BY' }), raw);
  const [before, after] = [test(node['prewhere'], whereClause), test(node['selection'], whereClause)];
  const where = both(before, after);
  const having = test(node['having'], havingClause);
  const qualifyAt = clauseAt({ ...selectClause, name: 'QUALIFY' });
  const qualify = test(node['qualify'], qualifyAt.clause);
  const orderBy = bindSorting(binder, orderNodes, clauseAt({ ...selectClause, name: 'ORDER BY' }), items, raw);
  const keyText = textKeys(isDistinct ? [...groups, ...raw.map(({ expr }) => expr)] : groups);
  const change = (expr: Expr | undefined) => (expr === undefined ? undefined : keyText(expr));
  const outputs = raw.map((output) => ({ ...output, expr: keyText(output.expr) }));
  const select: Select = {
    kind: 'select',
    isDistinct,
    outputs,
    ...optional('from', from?.relation),
    ...optional('where', where),
    groupBy: groups.map(keyText),
    ...optional('having', change(having)),
    ...optional('qualify', change(both(qualify, limited(binder, perGroup, qualifyAt, orderBy, isDistinct)))),
    orderBy: orderBy.map((item) => ({ ...item, expr: keyText(item.expr) })),
  };
  if (select.groupBy.length > 0 || outputs.some(({ expr }) => some(expr, isAggregateCall)) || having !== undefined)
    refuseUngrouped([...outputs.map(({ expr }) => expr), select.having], select.groupBy, outputs);
  return {
    select,
    columns: outputs.map(({ id, name, expr }) => ({
      id,
      name,
      type: expr.type.kind === 'null' ? variantType : expr.type,
    })),
  };
}

function optional<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}
