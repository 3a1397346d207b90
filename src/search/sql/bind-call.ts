import { didYouMean } from '../language/near-names.ts';
import { SqlProblem } from '../language/sql-problem.ts';
import type { Expr, FrameBound, OrderItem, Window } from '../plan/plan.ts';
import type { Binder, Place } from './binder.ts';
import { clickhouseFunctions, withCondition } from './clickhouse/functions.ts';
import { aggregateFunctions } from './functions/aggregate-functions.ts';
import type { DialectName } from './dialect.ts';
import type { Call, FunctionDefinition, Functions } from './functions/call.ts';
import { jsonFunctions } from './functions/json-functions.ts';
import { scalarFunctions } from './functions/scalar-functions.ts';
import { timeFunctions } from './functions/time-functions.ts';
import {
  identifierOf,
  listOf,
  type Node,
  nodeOf,
  objectName,
  placeOf,
  refuseParts,
  tagged,
  wholeNumber,
} from './node.ts';

const snowflakeFunctions: Functions = new Map(
  Object.entries({ ...scalarFunctions, ...timeFunctions, ...jsonFunctions, ...aggregateFunctions }),
);

/** ClickHouse's own names. */
const clickhouseNames = clickhouseFunctions(snowflakeFunctions);

/** Every function a query may call, by the language it is written in. What is not here does not exist. */
const catalogues: Readonly<Record<DialectName, Functions>> = {
  snowflake: snowflakeFunctions,
  // ClickHouse's own names come first; whatever it has no word for may be called as in Snowflake.
  clickhouse: new Map([
    ...snowflakeFunctions,
    ...Object.entries(clickhouseNames).map(([name, definition]) => [name.toUpperCase(), definition] as const),
  ]),
};

/** Names as people of the language write them, for suggestions. */
const spelled: Readonly<Record<DialectName, readonly string[]>> = {
  snowflake: [...snowflakeFunctions.keys()].map((name) => name.toLowerCase()),
  clickhouse: [...Object.keys(clickhouseNames), ...[...snowflakeFunctions.keys()].map((name) => name.toLowerCase())],
};

function findFunction(dialect: DialectName, name: string): FunctionDefinition | undefined {
  const functions = catalogues[dialect];
  const found = functions.get(name);
  if (found !== undefined || dialect !== 'clickhouse' || !name.endsWith('IF')) return found;
  const base = functions.get(name.slice(0, -2));
  return base === undefined ? undefined : withCondition(base);
}

/** Functions of many rows, by the names that plans have for them. */
const aggregateNames: ReadonlySet<string> = new Set(
  [...snowflakeFunctions].flatMap(([name, { kind }]) => (kind === 'aggregate' ? [name] : [])).concat('TOP_K'),
);
export const isAggregateCall = (expr: Expr): boolean =>
  expr.node === 'call' && expr.over === undefined && aggregateNames.has(expr.name);

export function bindOrder(binder: Binder, nodes: unknown, at: Place): readonly OrderItem[] {
  return listOf(nodes).map((item) => {
    const node = nodeOf(item);
    refuseParts(node, { with_fill: 'WITH FILL' });
    const options = nodeOf(node['options']);
    const isDescending = options['asc'] === false;
    const given = options['nulls_first'];
    return {
      expr: binder.expr(node['expr'], at),
      isDescending,
      nullsFirst: typeof given === 'boolean' ? given : binder.dialect.nullsFirst(isDescending),
    };
  });
}

function frameBound(value: unknown): FrameBound {
  const { tag, body } = tagged(value);
  if (tag === 'CurrentRow') return { kind: 'current' };
  const kind = tag === 'Preceding' ? 'preceding' : 'following';
  if (body === undefined || body === null) return { kind };
  const rows = wholeNumber(body);
  if (rows === undefined) throw new SqlProblem('a window frame takes whole numbers.', { place: placeOf(body) });
  return { kind, rows };
}

function bindWindow(binder: Binder, over: unknown, at: Place): Window | undefined {
  if (over === undefined || over === null) return undefined;
  const { tag, body } = tagged(over);
  if (tag !== 'WindowSpec')
    throw new SqlProblem('named windows are not supported.', { suggestion: 'Write the window in OVER (…).' });
  const node = nodeOf(body);
  const frame =
    node['window_frame'] === undefined || node['window_frame'] === null ? undefined : nodeOf(node['window_frame']);
  const unit = frame === undefined ? undefined : tagged(frame['units']).tag.toLowerCase();
  if (unit !== undefined && unit !== 'rows' && unit !== 'range')
    throw new SqlProblem(`window frames of ${unit} are not supported.`);
  return {
    partitionBy: listOf(node['partition_by']).map((item) => binder.expr(item, at)),
    orderBy: bindOrder(binder, node['order_by'], at),
    ...(frame === undefined || unit === undefined
      ? {}
      : {
          frame: {
            unit,
            start: frameBound(frame['start_bound']),
            end:
              frame['end_bound'] === undefined || frame['end_bound'] === null
                ? { kind: 'current' as const }
                : frameBound(frame['end_bound']),
          },
        }),
  };
}

type Arguments = Pick<Call, 'nodes' | 'named' | 'isDistinct' | 'isStar'>;

function readArguments(node: Node, part: 'args' | 'parameters'): Arguments {
  const { tag, body } = tagged(node[part] ?? 'None');
  if (tag === 'None') return { nodes: [], named: new Map(), isDistinct: false, isStar: false };
  if (tag !== 'List')
    throw new SqlProblem('a query as the argument of a function is not supported.', { place: placeOf(node) });
  const list = nodeOf(body);
  refuseParts(list, { clauses: 'A clause inside the arguments of a function' });
  const nodes: unknown[] = [];
  const named = new Map<string, unknown>();
  let isStar = false;
  for (const item of listOf(list['args'])) {
    const argument = tagged(item);
    const holder = argument.tag === 'Named' ? nodeOf(argument.body) : undefined;
    const value = tagged(holder === undefined ? argument.body : holder['arg']);
    if (value.tag === 'Wildcard') isStar = true;
    else if (value.tag !== 'Expr') throw new SqlProblem('this argument is not supported.', { place: placeOf(item) });
    else if (holder !== undefined) named.set(identifierOf(holder['name']).text.toLowerCase(), value.body);
    else nodes.push(value.body);
  }
  return { nodes, named, isDistinct: list['duplicate_treatment'] === 'Distinct', isStar };
}

function refuseMisplaced(call: Call, definition: FunctionDefinition): void {
  const { clause } = call.at;
  const isWindow = call.over !== undefined;
  if (definition.kind === 'window' && !isWindow)
    throw new SqlProblem(`${call.name} needs a window.`, {
      place: call.place,
      suggestion: `Write ${call.name}(…) OVER (PARTITION BY … ORDER BY …).`,
    });
  if (isWindow && definition.kind === 'scalar')
    throw new SqlProblem(`${call.name} takes no window.`, { place: call.place });
  if (isWindow && !clause.allowsWindows)
    throw new SqlProblem(`a window function has no meaning in ${clause.name}.`, {
      place: call.place,
      suggestion: 'Use QUALIFY.',
    });
  if (definition.kind === 'aggregate' && !isWindow && !clause.allowsAggregates)
    throw new SqlProblem(`${call.name} of many rows has no meaning in ${clause.name}.`, {
      place: call.place,
      suggestion: 'Use HAVING.',
    });
  if (call.isStar && call.name !== 'COUNT' && !call.name.startsWith('OBJECT_CONSTRUCT'))
    throw new SqlProblem(`${call.name}(*) has no meaning.`, { place: call.place });
  if (call.isDistinct && definition.kind !== 'aggregate')
    throw new SqlProblem(`DISTINCT has no meaning in ${call.name}.`, { place: call.place });
}

function nameOf(node: Node): {
  readonly name: string;
  readonly written: string;
  readonly place: ReturnType<typeof placeOf>;
} {
  const parts = objectName(node['name']);
  const place = parts[0]?.place;
  if (parts.length !== 1)
    throw new SqlProblem(`there is no function "${parts.map(({ text }) => text).join('.')}".`, { place });
  const written = parts[0]?.text ?? '';
  return { name: written.toUpperCase(), written, place };
}

/** `seq4()`: numbers of the generator that the query reads, from 0. */
function sequence(at: Place, place: Call['place']): Expr {
  const column = at.scope.tables.flatMap(({ columns }) => columns).find(({ name }) => name === '#number');
  if (column === undefined) throw new SqlProblem('SEQ4 needs TABLE(GENERATOR(ROWCOUNT => n)) in FROM.', { place });
  return column.expr;
}

/** A call of a function. Throws SqlProblem with near names for one that is not in the catalogue. */
export function bindFunction(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const { name, written, place } = nameOf(node);
  refuseParts(node, { filter: 'FILTER' });
  if (node['null_treatment'] === 'IgnoreNulls') throw new SqlProblem('IGNORE NULLS is not supported.', { place });
  const args = readArguments(node, 'args');
  const parameters = readArguments(node, 'parameters').nodes;
  if (/^SEQ[1248]$/.test(name)) return sequence(at, place);
  const definition = findFunction(binder.dialect.name, name);
  if (definition === undefined)
    throw new SqlProblem(`there is no function "${written}".`, {
      place,
      suggestion: didYouMean(written, spelled[binder.dialect.name]),
    });
  if (parameters.length > 0 && definition.takesParameters !== true)
    throw new SqlProblem(`${name} takes no parameters: one pair of parentheses only.`, { place });
  const over = bindWindow(binder, node['over'], at);
  const inner =
    definition.kind === 'scalar'
      ? at
      : { ...at, clause: { ...at.clause, allowsAggregates: over !== undefined && at.clause.allowsAggregates } };
  const withinGroup = bindOrder(binder, node['within_group'], inner);
  const call: Call = {
    ...args,
    parameters,
    name,
    place,
    withinGroup,
    binder,
    at: inner,
    ...(over === undefined ? {} : { over }),
  };
  refuseMisplaced({ ...call, at }, definition);
  if (args.named.size > 0) throw new SqlProblem(`${name} takes no named arguments.`, { place });
  if (args.nodes.length < definition.least || args.nodes.length > definition.most)
    throw new SqlProblem(
      `${name} takes ${definition.least === definition.most ? definition.least : `${definition.least} to ${definition.most}`} arguments, not ${args.nodes.length}.`,
      { place },
    );
  return definition.bind(call);
}

/** Calls a function of the catalogue on nodes, for syntax that has words instead of a call: EXTRACT, CEIL, SUBSTRING. */
export function callByName(binder: Binder, name: string, nodes: readonly unknown[], at: Place): Expr {
  // The words are the same in all languages, so the function they stand for is too.
  const definition = snowflakeFunctions.get(name);
  if (definition === undefined) throw new SqlProblem(`there is no function "${name}".`);
  return definition.bind({
    name,
    place: placeOf(nodes),
    nodes: nodes.filter((item) => item !== undefined && item !== null),
    named: new Map(),
    parameters: [],
    isDistinct: false,
    isStar: false,
    withinGroup: [],
    binder,
    at,
  });
}
