import { SqlProblem } from '../../language/sql-problem.ts';
import type { Relation } from '../../plan/plan.ts';
import type { Binder, Place } from '../binder.ts';
import { type FunctionDefinition, problem, scalar } from '../functions/call.ts';
import { identifierOf, isNode, listOf, nodeOf, objectName, placeOf, tagged } from '../node.ts';
import type { From, Scope, ScopeTable } from '../scope.ts';
import { unfold } from '../unfold.ts';

type Context = Omit<Place, 'clause'>;

const joins: ReadonlySet<string> = new Set(['ArrayJoin', 'LeftArrayJoin', 'InnerArrayJoin']);
export const isArrayJoin = (joinOperator: string): boolean => joins.has(joinOperator);

/** The list of an ARRAY JOIN as an expression: the parser takes it for the name of a table, or a table function. */
function listNode(table: Readonly<Record<string, unknown>>): unknown {
  const { name, args } = table;
  const parts = objectName(name);
  if (args !== undefined && args !== null)
    return { Function: { name, parameters: 'None', args: { List: { args: nodeOf(args)['args'] } } } };
  const identifiers = listOf(name).map((part) => tagged(part).body);
  return parts.length === 1 ? { Identifier: identifiers[0] } : { CompoundIdentifier: identifiers };
}

/** `FROM t ARRAY JOIN list AS item`: the item is a column; without a name it has the one of the list. */
export function bindArrayJoin(binder: Binder, node: unknown, at: Context, left: From, isOuter: boolean): From {
  const { tag, body } = tagged(node);
  if (tag !== 'Table') throw new SqlProblem('ARRAY JOIN takes the name of a list, or a function that gives one.');
  const table = nodeOf(body);
  const parts = objectName(table['name']);
  const alias = table['alias'] === undefined || table['alias'] === null ? undefined : nodeOf(table['alias']);
  const name = alias === undefined ? parts[0]?.text : identifierOf(alias['name']).text;
  if (name === undefined || (alias === undefined && (parts.length > 1 || table['args'])))
    throw new SqlProblem('ARRAY JOIN of this list needs a name.', {
      place: placeOf(node),
      suggestion: 'Write ARRAY JOIN list AS item.',
    });
  const { relation, item } = unfold(binder, listNode(table), at, left, isOuter);
  const shadowed = left.tables.map((other): ScopeTable => ({
    ...other,
    columns: other.columns.map((column) =>
      column.name.toLowerCase() === name.toLowerCase() ? { ...column, isHidden: true } : column,
    ),
  }));
  return { relation, tables: [...shadowed, { name, path: [], columns: [{ name, expr: item('value') }] }] };
}

/** Not a name that somebody could write. */
const unfoldedName = '#arrayJoin';

/** Two calls of arrayJoin with the same list are one. */
const keyOf = (node: unknown): string => JSON.stringify(node, (key, value: unknown) => (key === 'span' ? null : value));

const inner: ReadonlySet<string> = new Set(['Subquery', 'InSubquery', 'Exists']);

/** Lists of the arrayJoin calls of one SELECT, those of the queries inside it left out. */
function collect(value: unknown, found: Map<string, unknown>): void {
  if (Array.isArray(value)) return value.forEach((item) => collect(item, found));
  if (!isNode(value)) return undefined;
  for (const [tag, body] of Object.entries(value)) {
    if (inner.has(tag)) continue;
    if (tag === 'Function' && isNode(body) && objectName(body['name'])[0]?.text.toLowerCase() === 'arrayjoin') {
      const args = tagged(body['args'] ?? 'None');
      const [first] = args.tag === 'List' ? listOf(nodeOf(args.body)['args']) : [];
      const list = first === undefined ? undefined : tagged(tagged(first).body).body;
      if (list !== undefined) found.set(keyOf(list), list);
    } else collect(body, found);
  }
  return undefined;
}

const oneRow = (binder: Binder): Relation => ({ kind: 'numbers', alias: binder.fresh('t'), rows: 1 });

/** What a SELECT of ClickHouse reads when it calls arrayJoin: each row once for each item of the list. */
export function unfolded(
  binder: Binder,
  select: Readonly<Record<string, unknown>>,
  orderNodes: unknown,
  at: Context,
  from: From | undefined,
): From | undefined {
  if (binder.dialect.name !== 'clickhouse') return from;
  const found = new Map<string, unknown>();
  const { projection, prewhere, selection, group_by: groups, having, qualify } = select;
  collect([projection, prewhere, selection, groups, having, qualify, orderNodes], found);
  let result = from;
  for (const [key, list] of found) {
    const before: From = result ?? { relation: oneRow(binder), tables: [] };
    const { relation, item } = unfold(binder, list, at, before, false);
    const table = { name: unfoldedName, path: [], columns: [{ name: key, isHidden: true, expr: item('value') }] };
    result = { relation, tables: [...before.tables, table] };
  }
  return result;
}

/** The item of the list that the SELECT unfolds. */
export const arrayJoin: FunctionDefinition = scalar(1, 1, (call) => {
  const key = keyOf(call.nodes[0]);
  for (let scope: Scope | undefined = call.at.scope; scope !== undefined; scope = scope.parent) {
    const columns = scope.tables.filter(({ name }) => name === unfoldedName).flatMap((table) => table.columns);
    const column = columns.find(({ name }) => name === key);
    if (column !== undefined) return column.expr;
  }
  throw problem(call, 'this place is not part of a SELECT.', 'Use ARRAY JOIN list AS item.');
});
