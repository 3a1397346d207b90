import { SqlProblem } from '../language/sql-problem.ts';
import type { ColumnOut, Cte, Expr, OrderItem, Query, Select } from '../plan/plan.ts';
import { commonType, sameType, type SqlType, stringType, variantType } from '../plan/type.ts';
import { bindOrder } from './bind-call.ts';
import { bindSelect, type PerGroup } from './bind-select.ts';
import { type Binder, type KnownCte, type Place, selectClause } from './binder.ts';
import { convert, literalInteger } from './coerce.ts';
import { identifierOf, listOf, matches, type Node, nodeOf, placeOf, refuseParts, tagged, wholeNumber } from './node.ts';
import type { ScopeColumn } from './scope.ts';

type Context = Omit<Place, 'clause'>;

const asColumn = (table: string, { id, type }: ColumnOut): Expr => ({ node: 'column', table, name: id, type });

/** The query read through a SELECT that gives its columns these types. */
function withTypes(binder: Binder, query: Query, types: readonly SqlType[]): Query {
  if (query.columns.every(({ type }, index) => sameType(type, types[index] ?? type))) return query;
  const alias = binder.fresh('t');
  const outputs = query.columns.map((column, index) => ({
    id: binder.fresh('c'),
    name: column.name,
    expr: convert(asColumn(alias, column), types[index] ?? column.type),
  }));
  const select: Select = {
    kind: 'select',
    isDistinct: false,
    outputs,
    from: { kind: 'query', alias, query },
    groupBy: [],
    orderBy: [],
  };
  return { ctes: [], body: select, columns: outputs.map(({ id, name, expr }) => ({ id, name, type: expr.type })) };
}

const operations = { Union: 'union', Except: 'except', Minus: 'except', Intersect: 'intersect' } as const;

const plainType = (type: SqlType): SqlType =>
  type.kind === 'object' || (type.kind === 'array' && type.element.kind === 'object') ? variantType : type;

function bindSet(binder: Binder, body: unknown, at: Context): Query {
  const node = nodeOf(body);
  const { tag } = tagged(node['op']);
  const quantifier = tagged(node['set_quantifier']).tag;
  const base = Object.entries(operations).find(([name]) => name === tag)?.[1];
  if (
    base === undefined ||
    !['None', 'All', 'Distinct'].includes(quantifier) ||
    (quantifier === 'All' && base !== 'union')
  )
    throw new SqlProblem(`${tag.toUpperCase()} ${quantifier.toUpperCase()} is not supported.`, {
      place: placeOf(node),
    });
  const [left, right] = [bindBody(binder, node['left'], at, []), bindBody(binder, node['right'], at, [])];
  if (left.columns.length !== right.columns.length)
    throw new SqlProblem(
      `the two sides of ${tag.toUpperCase()} have ${left.columns.length} and ${right.columns.length} columns.`,
      { place: placeOf(node) },
    );
  const types = left.columns.map(({ type }, index) =>
    plainType(commonType(type, right.columns[index]?.type ?? type) ?? stringType),
  );
  const [a, b] = [withTypes(binder, left, types), withTypes(binder, right, types)];
  const operation = base === 'union' && quantifier === 'All' ? 'union all' : base;
  return {
    ctes: [],
    body: { kind: 'set', operation, left: a, right: b },
    columns: a.columns.map((column, index) => ({ ...column, type: types[index] ?? column.type })),
  };
}

/** The columns of a query in an order that names or counts them. */
function sorted(binder: Binder, query: Query, orderNodes: readonly unknown[], at: Context): Query {
  if (orderNodes.length === 0) return query;
  const alias = binder.fresh('t');
  const columns = query.columns.map((column): ScopeColumn => ({ name: column.name, expr: asColumn(alias, column) }));
  const place: Place = {
    ...at,
    scope: { tables: [{ name: alias, path: [], columns }] },
    clause: { ...selectClause, name: 'ORDER BY' },
  };
  const orderBy: readonly OrderItem[] = bindOrder(binder, orderNodes, place).map((item) => {
    const position = literalInteger(item.expr);
    const column = position === undefined ? undefined : columns[position - 1];
    return column === undefined ? item : { ...item, expr: column.expr };
  });
  return wrapped(binder, query, { alias, orderBy });
}

function bindBody(
  binder: Binder,
  body: unknown,
  at: Context,
  orderNodes: readonly unknown[],
  perGroup?: PerGroup,
): Query & { readonly top?: number } {
  const { tag, body: inner } = tagged(body);
  if (tag !== 'Select' && perGroup !== undefined)
    throw new SqlProblem('LIMIT BY belongs to one SELECT.', { suggestion: 'SELECT * FROM (…) LIMIT 2 BY a.' });
  if (tag === 'Select') {
    const { select, columns } = bindSelect(binder, inner, at, orderNodes, perGroup);
    const top = topOf(nodeOf(inner));
    return { ctes: [], body: select, columns, ...(top === undefined ? {} : { limit: top }) };
  }
  if (tag === 'SetOperation') return sorted(binder, bindSet(binder, inner, at), orderNodes, at);
  if (tag === 'Query') return sorted(binder, bindQuery(binder, inner, at), orderNodes, at);
  throw new SqlProblem(`${tag.toUpperCase()} is not supported here.`, { place: placeOf(body) });
}

function topOf(select: Node): number | undefined {
  const { top } = select;
  if (top === undefined || top === null) return undefined;
  const node = nodeOf(top);
  refuseParts(node, { with_ties: 'WITH TIES', percent: 'PERCENT' });
  const value: unknown = tagged(node['quantity']).body;
  return typeof value === 'number' ? value : undefined;
}

function bindCtes(
  binder: Binder,
  node: unknown,
  at: Context,
): { readonly ctes: readonly Cte[]; readonly known: readonly KnownCte[] } {
  if (node === undefined || node === null) return { ctes: [], known: at.ctes };
  const list = nodeOf(node);
  if (list['recursive'] === true) throw new SqlProblem('WITH RECURSIVE is not supported.', { place: placeOf(node) });
  const ctes: Cte[] = [];
  let known = at.ctes;
  const names = new Set<string>();
  for (const item of listOf(list['cte_tables'])) {
    const cte = nodeOf(item);
    refuseParts(cte, { from: 'FROM after a query of WITH' });
    const { name: nameNode, columns: renames } = nodeOf(cte['alias']);
    const name = identifierOf(nameNode);
    if (names.has(name.text.toLowerCase()))
      throw new SqlProblem(`"${name.text}" is defined twice in WITH.`, { place: name.place });
    names.add(name.text.toLowerCase());
    const before = binder.scans();
    const query = binder.query(cte['query'], { ctes: known, scope: { tables: [] } });
    const id = binder.fresh('q');
    const given = listOf(renames).map((column) => identifierOf(nodeOf(column)['name']).text);
    if (given.length > 0 && given.length !== query.columns.length)
      throw new SqlProblem(`"${name.text}" names ${given.length} columns but has ${query.columns.length}.`, {
        place: name.place,
      });
    ctes.push({ name: id, query });
    const columns = query.columns.map((column, index) => ({ ...column, name: given[index] ?? column.name }));
    known = [
      ...known.filter((other) => !matches(name, other.name)),
      { name: name.text, id, columns, scans: binder.scans() - before },
    ];
  }
  return { ctes, known };
}

type Limits = { readonly limit?: number; readonly offset?: number; readonly perGroup?: PerGroup };

/** `LIMIT n OFFSET m`, `LIMIT m, n`, `LIMIT n BY a`, `FETCH FIRST n ROWS`. */
function limitsOf(node: Node): Limits {
  const clause = node['limit_clause'];
  const parts = clause === undefined || clause === null ? {} : nodeOf(tagged(clause).body);
  const by = listOf(parts['limit_by']);
  const fetch = node['fetch'] === undefined || node['fetch'] === null ? undefined : nodeOf(node['fetch']);
  if (fetch !== undefined) refuseParts(fetch, { with_ties: 'WITH TIES', percent: 'PERCENT' });
  const number = (value: unknown, word: string): number | undefined => {
    if (value === undefined || value === null) return undefined;
    const { tag, body } = tagged(value);
    if (tag === 'Value' && tagged(nodeOf(body)['value']).tag === 'Null') return undefined;
    const found = wholeNumber(value);
    if (found === undefined) throw new SqlProblem(`${word} takes a whole number.`, { place: placeOf(value) });
    return found;
  };
  const given = parts['offset'] ?? undefined;
  // `LIMIT m, n` holds the number itself, OFFSET a node around it.
  const offset = given === undefined || tagged(clause).tag === 'OffsetCommaLimit' ? given : nodeOf(given)['value'];
  const [limit, skip] = [number(parts['limit'] ?? fetch?.['quantity'], 'LIMIT'), number(offset, 'OFFSET')];
  if (by.length > 0) {
    if (limit === undefined || skip !== undefined)
      throw new SqlProblem('LIMIT BY takes a number of rows, and no OFFSET.', { place: placeOf(clause) });
    return { perGroup: { rows: limit, keys: by } };
  }
  return { ...(limit === undefined ? {} : { limit }), ...(skip === undefined ? {} : { offset: skip }) };
}

function orderNodesOf(node: Node): readonly unknown[] {
  const order = node['order_by'];
  if (order === undefined || order === null) return [];
  const clause = nodeOf(order);
  refuseParts(clause, { interpolate: 'INTERPOLATE' });
  const { tag, body } = tagged(clause['kind']);
  if (tag !== 'Expressions') throw new SqlProblem('ORDER BY ALL is not supported.', { place: placeOf(order) });
  return listOf(body);
}

/** A whole query: WITH, body, ORDER BY, LIMIT. */
export function bindQuery(binder: Binder, value: unknown, at: Context): Query {
  const node = nodeOf(value);
  refuseParts(node, {
    locks: 'FOR UPDATE',
    for_clause: 'FOR',
    settings: 'SETTINGS',
    format_clause: 'FORMAT',
    pipe_operators: 'A pipe',
  });
  const { ctes, known } = bindCtes(binder, node['with'], at);
  const inner = { ...at, ctes: known };
  const { perGroup, ...limits } = limitsOf(node);
  const query = bindBody(binder, node['body'], inner, orderNodesOf(node), perGroup);
  if (query.limit !== undefined && limits.limit !== undefined)
    throw new SqlProblem('TOP and LIMIT cannot stand together.');
  // A set operation or a query in parentheses keeps its own limit: another one stands around it.
  const isLimited = query.limit !== undefined || query.offset !== undefined;
  if (isLimited && Object.keys(limits).length > 0)
    return { ...wrapped(binder, query, { alias: binder.fresh('t'), orderBy: [] }), ctes, ...limits };
  return { ...query, ctes: [...ctes, ...query.ctes], ...limits };
}

/** A query around another one that gives all of its columns. */
function wrapped(
  binder: Binder,
  query: Query,
  { alias, orderBy }: { readonly alias: string; readonly orderBy: readonly OrderItem[] },
): Query {
  const outputs = query.columns.map((column) => ({
    id: binder.fresh('c'),
    name: column.name,
    expr: asColumn(alias, column),
  }));
  const select: Select = {
    kind: 'select',
    isDistinct: false,
    outputs,
    from: { kind: 'query', alias, query },
    groupBy: [],
    orderBy,
  };
  return { ctes: [], body: select, columns: outputs.map(({ id, name, expr }) => ({ id, name, type: expr.type })) };
}
