import { findTable } from '../catalogue/find-table.ts';
import { SqlProblem } from '../language/sql-problem.ts';
import type { Expr, JoinKind, Relation } from '../plan/plan.ts';
import { booleanType, integerType, type SqlType, variantType } from '../plan/type.ts';
import { type Binder, type Place, whereClause } from './binder.ts';
import { bindArrayJoin, isArrayJoin } from './clickhouse/array-join.ts';
import { comparable, convert, unify } from './coerce.ts';
import { unfold } from './unfold.ts';
import {
  type Identifier,
  identifierOf,
  listOf,
  matches,
  type Node,
  nodeOf,
  objectName,
  placeOf,
  refuseParts,
  tagged,
  wholeNumber,
} from './node.ts';
import type { From, ScopeColumn, ScopeTable } from './scope.ts';

type Context = Omit<Place, 'clause'>;

const rowsMax = 1_000_000;

type Alias = { readonly name: string | undefined; readonly columns: readonly string[] };

function aliasOf(value: unknown): Alias {
  if (value === undefined || value === null) return { name: undefined, columns: [] };
  const node = nodeOf(value);
  return {
    name: identifierOf(node['name']).text,
    columns: listOf(node['columns']).map((column) => identifierOf(nodeOf(column)['name']).text),
  };
}

/** FINAL reads as an alias. It changes nothing here: rows of events are never replaced. */
function tableAlias({ dialect }: Binder, value: unknown): Alias {
  const alias = aliasOf(value);
  return dialect.name === 'clickhouse' && alias.name?.toLowerCase() === 'final' ? aliasOf(undefined) : alias;
}

/** Columns under the names that `AS t (a, b)` gives them. */
function renamed(columns: readonly ScopeColumn[], names: readonly string[], node: unknown): readonly ScopeColumn[] {
  if (names.length === 0) return columns;
  if (names.length !== columns.length)
    throw new SqlProblem(`${names.length} names are given for ${columns.length} columns.`, { place: placeOf(node) });
  return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }));
}

function bindTable(binder: Binder, body: unknown, at: Context): From {
  const node = nodeOf(body);
  refuseParts(node, {
    args: 'A table function',
    with_hints: 'A hint',
    version: 'A version of a table (AT, BEFORE)',
    partitions: 'PARTITION',
    json_path: 'A path after a table',
    sample: 'SAMPLE',
    index_hints: 'A hint',
    with_ordinality: 'WITH ORDINALITY',
  });
  const parts = objectName(node['name']);
  const alias = tableAlias(binder, node['alias']);
  const cte = parts.length === 1 && parts[0] !== undefined ? findCte(at, parts[0]) : undefined;
  const id = binder.fresh('t');
  if (cte !== undefined) {
    binder.countScans(cte.scans);
    const columns = cte.columns.map((column): ScopeColumn => ({
      name: column.name,
      expr: { node: 'column', table: id, name: column.id, type: column.type },
    }));
    const table = { name: alias.name ?? cte.name, path: [], columns: renamed(columns, alias.columns, node) };
    return { relation: { kind: 'cte', alias: id, name: cte.id }, tables: [table] };
  }
  const found = findTable(
    binder.catalogue,
    parts.map(({ text }) => text),
    binder.defaultDatabase,
    parts[0]?.place,
  );
  binder.countScans(Math.max(1, found.sources.length));
  binder.noteLogType(found.logType);
  const columns = found.columns.map((column): ScopeColumn => ({
    name: column.name,
    expr: { node: 'column', table: id, name: column.name, type: column.type },
  }));
  return {
    relation: {
      kind: 'table',
      alias: id,
      sources: found.sources.length > 0 ? found.sources : [nothing(found.columns)],
      isWhole: found.isWhole,
    },
    tables: [
      {
        name: alias.name ?? found.name,
        path: [found.database, 'public', found.name],
        columns: renamed(columns, alias.columns, node),
      },
    ],
  };
}

/** A table of which no row has come yet. */
const nothing = (columns: readonly { readonly name: string; readonly type: SqlType }[]) => ({
  database: '',
  table: '',
  isPooled: false,
  columns: columns.map(({ name, type }) => ({ name, type })),
});

const findCte = ({ ctes }: Context, name: Identifier) => ctes.findLast((cte) => matches(name, cte.name));

function bindDerived(binder: Binder, body: unknown, at: Context): From {
  const node = nodeOf(body);
  refuseParts(node, { lateral: 'LATERAL before a query', sample: 'SAMPLE' });
  const alias = aliasOf(node['alias']);
  const query = binder.query(node['subquery'], { ...at, scope: { tables: [] } });
  const id = binder.fresh('t');
  const columns = query.columns.map((column): ScopeColumn => ({
    name: column.name,
    expr: { node: 'column', table: id, name: column.id, type: column.type },
  }));
  return {
    relation: { kind: 'query', alias: id, query },
    tables: [{ name: alias.name ?? id, path: [], columns: renamed(columns, alias.columns, node) }],
  };
}

type TableCall = {
  readonly name: string;
  readonly named: ReadonlyMap<string, unknown>;
  readonly positional: readonly unknown[];
  readonly alias: Alias;
};

function readTableCall(nameNode: unknown, args: readonly unknown[], aliasNode: unknown): TableCall {
  const parts = objectName(nameNode);
  const named = new Map<string, unknown>();
  const positional: unknown[] = [];
  for (const item of args) {
    const { tag, body } = tagged(item);
    const holder = tag === 'Named' ? nodeOf(body) : undefined;
    const value = tagged(holder === undefined ? body : holder['arg']);
    if (value.tag !== 'Expr') throw new SqlProblem('this argument is not supported.', { place: placeOf(item) });
    if (holder === undefined) positional.push(value.body);
    else named.set(identifierOf(holder['name']).text.toLowerCase(), value.body);
  }
  return {
    name: parts
      .map(({ text }) => text)
      .join('.')
      .toLowerCase(),
    named,
    positional,
    alias: aliasOf(aliasNode),
  };
}

function booleanOf(node: unknown): boolean {
  const { tag, body } = tagged(node);
  return tag === 'Value' && tagged(nodeOf(body)['value']).body === true;
}

/** FLATTEN gives a row for each item of a list, or for each key of an object. */
function bindFlatten(binder: Binder, call: TableCall, at: Context, input: From, isOuter: boolean): From {
  const node = call.named.get('input') ?? call.positional[0];
  if (node === undefined)
    throw new SqlProblem('FLATTEN needs a list.', { suggestion: 'Write FLATTEN(INPUT => column).' });
  if (booleanOf(call.named.get('recursive') ?? 'None'))
    throw new SqlProblem('FLATTEN with RECURSIVE is not supported.', { place: placeOf(node) });
  const isLeft = isOuter || booleanOf(call.named.get('outer') ?? 'None');
  const { relation, item, expr } = unfold(binder, node, at, input, isLeft);
  const columns: ScopeColumn[] = [
    { name: 'seq', expr: item('index'), isHidden: true },
    { name: 'key', expr: item('key') },
    { name: 'index', expr: item('index') },
    { name: 'value', expr: item('value') },
    { name: 'this', expr: convert(expr, variantType) },
  ];
  const table = { name: call.alias.name ?? relation.alias, path: [], columns };
  return { relation, tables: [...input.tables, table] };
}

function bindGenerator(binder: Binder, call: TableCall): From {
  const node = call.named.get('rowcount');
  const rows = node === undefined ? undefined : wholeNumber(node);
  if (rows === undefined || rows > rowsMax)
    throw new SqlProblem(`GENERATOR needs ROWCOUNT => n, at most ${rowsMax}.`, { place: placeOf(node) });
  const id = binder.fresh('t');
  const number: ScopeColumn = {
    name: '#number',
    isHidden: true,
    expr: { node: 'column', table: id, name: 'number', type: integerType },
  };
  return {
    relation: { kind: 'numbers', alias: id, rows },
    tables: [{ name: call.alias.name ?? id, path: [], columns: [number] }],
  };
}

/** The call of a FROM item such as LATERAL FLATTEN(…) or TABLE(FLATTEN(…)); undefined for tables and queries. */
function tableCallOf(node: unknown): TableCall | undefined {
  const { tag, body } = tagged(node);
  if (tag === 'Function') {
    const call = nodeOf(body);
    return readTableCall(call['name'], listOf(call['args']), call['alias']);
  }
  if (tag !== 'TableFunction') return undefined;
  const outer = nodeOf(body);
  const inner = tagged(outer['expr']);
  if (inner.tag !== 'Function') throw new SqlProblem('TABLE(…) takes FLATTEN or GENERATOR.', { place: placeOf(body) });
  const call = nodeOf(inner.body);
  const args = tagged(call['args'] ?? 'None');
  return readTableCall(call['name'], args.tag === 'List' ? listOf(nodeOf(args.body)['args']) : [], outer['alias']);
}

function bindFactor(binder: Binder, node: unknown, at: Context): From {
  const { tag, body } = tagged(node);
  if (tag === 'Table') return bindTable(binder, body, at);
  if (tag === 'Derived') return bindDerived(binder, body, at);
  if (tag === 'NestedJoin') {
    const nested = nodeOf(body);
    refuseParts(nested, { alias: 'An alias of a join in parentheses' });
    return bindJoined(binder, nested['table_with_joins'], at, undefined);
  }
  const call = tableCallOf(node);
  if (call?.name === 'generator') return bindGenerator(binder, call);
  if (call !== undefined)
    throw new SqlProblem(`there is no table function "${call.name}".`, {
      place: placeOf(node),
      suggestion: 'Table functions: FLATTEN, GENERATOR.',
    });
  throw new SqlProblem(`${tag.toUpperCase()} in FROM is not supported.`, { place: placeOf(node) });
}

const equal = (left: Expr, right: Expr): Expr => ({
  node: 'operator',
  operator: '=',
  args: comparable(left, right, undefined),
  type: booleanType,
});
const and = (left: Expr | undefined, right: Expr): Expr =>
  left === undefined ? right : { node: 'operator', operator: 'and', args: [left, right], type: booleanType };

const visible = (tables: readonly ScopeTable[]): readonly ScopeColumn[] =>
  tables.flatMap(({ columns }) => columns).filter(({ isHidden }) => !isHidden);

/** Joins on equal columns; each of them then stands once in `*`. */
function joinUsing(join: JoinKind, left: From, right: From, names: readonly Identifier[]): From {
  let on: Expr | undefined;
  const merged = new Map<string, Expr>();
  for (const name of names) {
    const [a, b] = [visible(left.tables), visible(right.tables)].map(
      (columns) => columns.find((column) => matches(name, column.name))?.expr,
    );
    if (a === undefined || b === undefined)
      throw new SqlProblem(`both sides need a column "${name.text}".`, { place: name.place });
    on = and(on, equal(a, b));
    const [x = a, y = b] = unify([a, b]);
    merged.set(
      name.text.toLowerCase(),
      join === 'right' ? b : join === 'full' ? { node: 'call', name: 'COALESCE', args: [x, y], type: x.type } : a,
    );
  }
  const keep = (table: ScopeTable): ScopeTable => ({
    ...table,
    columns: table.columns.map((column) => {
      const expr = merged.get(column.name.toLowerCase());
      return expr === undefined ? column : { ...column, expr };
    }),
  });
  const hide = (table: ScopeTable): ScopeTable => ({
    ...table,
    columns: table.columns.map((column) =>
      merged.has(column.name.toLowerCase()) ? { ...column, isHidden: true } : column,
    ),
  });
  const relation: Relation =
    on === undefined
      ? { kind: 'join', join: 'cross', left: left.relation, right: right.relation }
      : { kind: 'join', join, left: left.relation, right: right.relation, on };
  return { relation, tables: [...left.tables.map(keep), ...right.tables.map(hide)] };
}

const joinKinds: Readonly<Record<string, JoinKind>> = {
  Join: 'inner',
  Inner: 'inner',
  Left: 'left',
  LeftOuter: 'left',
  Right: 'right',
  RightOuter: 'right',
  FullOuter: 'full',
  CrossJoin: 'cross',
};

function namesOf(
  constraint: { readonly tag: string; readonly body: unknown },
  left: From,
  right: From,
): readonly Identifier[] | undefined {
  if (constraint.tag === 'Using') return listOf(constraint.body).flatMap(objectName);
  if (constraint.tag !== 'Natural') return undefined;
  const others = new Set(visible(right.tables).map(({ name }) => name.toLowerCase()));
  return visible(left.tables)
    .filter(({ name }) => others.has(name.toLowerCase()))
    .map(({ name }) => ({ text: name, isQuoted: false, place: undefined }));
}

function bindJoin(binder: Binder, node: Node, at: Context, left: From): From {
  refuseParts(node, { global: 'GLOBAL' });
  const { tag, body } = tagged(node['join_operator']);
  if (isArrayJoin(tag)) return bindArrayJoin(binder, node['relation'], at, left, tag === 'LeftArrayJoin');
  const join = joinKinds[tag];
  if (join === undefined) throw new SqlProblem(`${tag} joins are not supported.`, { place: placeOf(node) });
  const call = tableCallOf(node['relation']);
  if (call?.name === 'flatten') return bindFlatten(binder, call, at, left, join === 'left');
  const right = bindFactor(binder, node['relation'], at);
  const constraint = body === undefined || body === null ? { tag: 'None', body: undefined } : tagged(body);
  const using = namesOf(constraint, left, right);
  if (using !== undefined) return joinUsing(join, left, right, using);
  const tables = [...left.tables, ...right.tables];
  if (constraint.tag === 'None') {
    if (join !== 'inner' && join !== 'cross') throw new SqlProblem('this join needs ON.', { place: placeOf(node) });
    return { relation: { kind: 'join', join: 'cross', left: left.relation, right: right.relation }, tables };
  }
  const on = convert(
    binder.expr(constraint.body, {
      ...at,
      scope: { tables, parent: at.scope },
      clause: { ...whereClause, name: 'ON' },
    }),
    booleanType,
  );
  return { relation: { kind: 'join', join, left: left.relation, right: right.relation, on }, tables };
}

function bindJoined(binder: Binder, item: unknown, at: Context, before: From | undefined): From {
  const node = nodeOf(item);
  const call = tableCallOf(node['relation']);
  let result: From;
  if (call?.name === 'flatten') {
    if (before === undefined)
      throw new SqlProblem('FLATTEN needs a table before it.', {
        suggestion: 'Write FROM table, LATERAL FLATTEN(INPUT => column) alias.',
      });
    result = bindFlatten(binder, call, at, before, false);
  } else {
    const factor = bindFactor(binder, node['relation'], at);
    result =
      before === undefined
        ? factor
        : {
            relation: { kind: 'join', join: 'cross', left: before.relation, right: factor.relation },
            tables: [...before.tables, ...factor.tables],
          };
  }
  for (const join of listOf(node['joins'])) result = bindJoin(binder, nodeOf(join), at, result);
  return result;
}

/** The FROM clause: what is read, and what its names mean. */
export function bindFrom(binder: Binder, items: readonly unknown[], at: Context): From | undefined {
  const [first, second] = items;
  const joins = second === undefined ? [] : listOf(nodeOf(first)['joins']);
  let result = first === undefined ? undefined : bindJoined(binder, first, at, undefined);
  if (joins.some((join) => isArrayJoin(tagged(nodeOf(join)['join_operator']).tag)))
    throw new SqlProblem('ARRAY JOIN takes one list.', {
      place: placeOf(second),
      suggestion: 'Write arrayJoin(list) in SELECT for one, or arrayMap((x, y) -> …, a, b) for two lists side by side.',
    });
  for (const item of items.slice(1)) result = bindJoined(binder, item, at, result);
  return result;
}
