import type { ReadTable } from '#lake';
import { isUuid } from '#platform/ids';
import type { ColumnOut, Query, Relation, Select, SourceColumn, TableSource } from '../plan/plan.ts';
import { convertText, extractText } from './conversions.ts';
import { engineNull, engineType, identifier, quote } from './engine-type.ts';
import { type ExpressionPrinter, printExpression, printOrder } from './print-expression.ts';

/** A query as the engine gets it, and what its columns are. */
export type PrintedQuery = {
  readonly sql: string;
  readonly columns: readonly ColumnOut[];
  /** The tables that it reads, and which rows of each: the engine holds it to them, whatever its text says. */
  readonly reads: readonly ReadTable[];
};

export type PrintOptions = {
  /** Whose rows are read; there is no printing without one. */
  readonly tenantId: string;
  /** Rows that may come back at most. */
  readonly rowsMax: number;
};

/** Calls back with every object inside a plan. */
function eachNode(query: Query, visit: (node: object) => void): void {
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk);
    if (typeof value !== 'object' || value === null || value instanceof Map || value instanceof Date) return undefined;
    visit(value);
    for (const [key, child] of Object.entries(value)) if (key !== 'type' && key !== 'sources') walk(child);
    return undefined;
  };
  walk(query);
}

/** Names of columns that are read from each table. */
function usedColumns(query: Query): ReadonlyMap<string, ReadonlySet<string>> {
  const used = new Map<string, Set<string>>();
  eachNode(query, (value) => {
    if (!('node' in value) || value.node !== 'column' || !('table' in value) || !('name' in value)) return;
    const names = used.get(String(value.table)) ?? new Set();
    used.set(String(value.table), names.add(String(value.name)));
  });
  return used;
}

type State = PrintOptions & {
  readonly used: ReadonlyMap<string, ReadonlySet<string>>;
  readonly printer: ExpressionPrinter;
};

function printSourceColumn({ name, type, physical, eventKey, constant }: SourceColumn): string {
  const value =
    constant !== undefined
      ? quote(constant)
      : physical !== undefined
        ? identifier(physical)
        : eventKey !== undefined
          ? extractText('`p_event`', `, ${quote(eventKey)}`, type)
          : engineNull(type);
  return `${value} AS ${identifier(name)}`;
}

function conditionsOf({ isPooled, logTypes }: TableSource, tenantId: string): readonly string[] {
  const conditions = isPooled ? [`\`p_tenant_id\` = toUUID(${quote(tenantId)})`] : [];
  if (logTypes === undefined) return conditions;
  const names = `(${logTypes.names.map(quote).join(', ')})`;
  if (logTypes.names.length === 0) return [...conditions, logTypes.kind === 'only' ? '0' : '1'];
  return [...conditions, `\`p_log_type\` ${logTypes.kind === 'only' ? 'IN' : 'NOT IN'} ${names}`];
}

const isTable = (node: object): node is Relation & { readonly kind: 'table' } =>
  'kind' in node && node.kind === 'table' && 'sources' in node;

/** Physical tables of a plan with the rows that any of its sources may read. */
function readsOf(query: Query, tenantId: string): readonly ReadTable[] {
  const wheres = new Map<string, { readonly source: TableSource; readonly where: Set<string> }>();
  eachNode(query, (node) => {
    if (!isTable(node)) return;
    for (const source of node.sources.filter(({ table }) => table !== '')) {
      const key = `${source.database}.${source.table}`;
      const known = wheres.get(key) ?? { source, where: new Set() };
      known.where.add(conditionsOf(source, tenantId).join(' AND '));
      wheres.set(key, known);
    }
  });
  return [...wheres.values()].map(({ source: { database, table }, where }) => ({
    database,
    table,
    where: where.has('') ? null : [...where].map((condition) => `(${condition})`).join(' OR '),
  }));
}

/** A source read through its predicates: whose rows, and of which log types. */
function printSource(source: TableSource, state: State, used: ReadonlySet<string>): string {
  const columns = source.columns.filter(({ name }) => used.has(name));
  const list = columns.length === 0 ? '1 AS `c0`' : columns.map(printSourceColumn).join(', ');
  if (source.table === '') return `SELECT ${list} WHERE 0`;
  const conditions = conditionsOf(source, state.tenantId);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `SELECT ${list} FROM ${identifier(source.database)}.${identifier(source.table)}${where}`;
}

/** What FLATTEN unfolds: tuples of key, index and value. */
function printItems(relation: Relation & { readonly kind: 'flatten' }, state: State): string {
  const text = printExpression(relation.expr, state.printer);
  const { type } = relation.expr;
  const item = (key: string, index: string, value: string, valueType: string): string =>
    `tuple(CAST(${key}, 'Nullable(String)'), CAST(${index}, 'Nullable(Int64)'), CAST(${value}, ${quote(valueType)}))`;
  if (type.kind === 'array') {
    const { element } = type;
    const value = element.kind === 'object' ? "nullIf(toJSONString(x), '{}')" : 'x';
    const valueType = element.kind === 'object' ? 'Nullable(String)' : engineType(element);
    return `arrayMap((x, i) -> ${item('NULL', 'i - 1', value, valueType)}, ${text}, arrayEnumerate(${text}))`;
  }
  const json = `ifNull(${convertText(text, type, { kind: 'variant' })}, '')`;
  const list = `JSONExtractArrayRaw(if(startsWith(${json}, '['), ${json}, '[]'))`;
  const items = `arrayMap((x, i) -> ${item('NULL', 'i - 1', "nullIf(x, 'null')", 'Nullable(String)')}, ${list}, arrayEnumerate(${list}))`;
  const entries = `JSONExtractKeysAndValuesRaw(if(startsWith(${json}, '{'), ${json}, '{}'))`;
  const pairs = `arrayMap(x -> ${item('x.1', 'NULL', "nullIf(x.2, 'null')", 'Nullable(String)')}, ${entries})`;
  return `arrayConcat(${items}, ${pairs})`;
}

const joinWords = {
  inner: 'INNER JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
  cross: 'CROSS JOIN',
} as const;

function printRelation(relation: Relation, state: State): string {
  switch (relation.kind) {
    case 'table': {
      const [source] = relation.sources;
      if (source === undefined) throw new Error('A table without a source.');
      const alias = identifier(relation.alias);
      if (relation.isWhole) return `${identifier(source.database)}.${identifier(source.table)} AS ${alias}`;
      const used = state.used.get(relation.alias) ?? new Set();
      return `(${relation.sources.map((item) => printSource(item, state, used)).join(' UNION ALL ')}) AS ${alias}`;
    }
    case 'query':
      return `(${state.printer.query(relation.query)}) AS ${identifier(relation.alias)}`;
    case 'cte':
      return `${identifier(relation.name)} AS ${identifier(relation.alias)}`;
    case 'numbers':
      return `(SELECT toInt64(number) AS number FROM numbers(${relation.rows})) AS ${identifier(relation.alias)}`;
    case 'join': {
      const right = printRelation(relation.right, state);
      const nested = relation.right.kind === 'join' || relation.right.kind === 'flatten' ? `(${right})` : right;
      const on = relation.on === undefined ? '' : ` ON ${printExpression(relation.on, state.printer)}`;
      return `${printRelation(relation.left, state)} ${joinWords[relation.join]} ${nested}${on}`;
    }
    case 'flatten':
      return `${printRelation(relation.input, state)} ${relation.isOuter ? 'LEFT ' : ''}ARRAY JOIN ${printItems(relation, state)} AS ${identifier(relation.alias)}`;
  }
}

function printSelect(select: Select, state: State): string {
  const print = (expr: Parameters<typeof printExpression>[0]): string => printExpression(expr, state.printer);
  const outputs = select.outputs.map(({ id, expr }) => `${print(expr)} AS ${identifier(id)}`).join(', ');
  const clause = (word: string, text: string | undefined): string =>
    text === undefined || text === '' ? '' : ` ${word} ${text}`;
  return [
    `SELECT ${select.isDistinct ? 'DISTINCT ' : ''}${outputs}`,
    clause('FROM', select.from && printRelation(select.from, state)),
    clause('WHERE', select.where && print(select.where)),
    clause('GROUP BY', select.groupBy.map(print).join(', ')),
    clause('HAVING', select.having && print(select.having)),
    clause('QUALIFY', select.qualify && print(select.qualify)),
    clause('ORDER BY', printOrder(select.orderBy, print)),
  ].join('');
}

const setWords = {
  'union all': 'UNION ALL',
  union: 'UNION DISTINCT',
  intersect: 'INTERSECT DISTINCT',
  except: 'EXCEPT DISTINCT',
} as const;

function printBody(query: Query, state: State): string {
  const ctes = query.ctes.map((cte) => `${identifier(cte.name)} AS (${printBody(cte.query, state)})`);
  const head = ctes.length === 0 ? '' : `WITH ${ctes.join(', ')} `;
  const { body } = query;
  const limits = `${query.limit === undefined ? '' : ` LIMIT ${query.limit}`}${query.offset === undefined ? '' : ` OFFSET ${query.offset}`}`;
  if (body.kind === 'select') return `${head}${printSelect(body, state)}${limits}`;
  const both = `(${printBody(body.left, state)}) ${setWords[body.operation]} (${printBody(body.right, state)})`;
  if (head === '' && limits === '') return both;
  const columns = query.columns.map(({ id }) => identifier(id)).join(', ');
  return `${head}SELECT ${columns} FROM (${both})${limits}`;
}

/**
 * The engine's text of a plan, for one tenant: shared tables are read through the tenant's predicate, and never more
 * rows come back than allowed. The engine names columns by their ids; the names that users chose stay outside of it.
 */
export function printQuery(query: Query, options: PrintOptions): PrintedQuery {
  if (!isUuid(options.tenantId)) throw new Error('A query is printed for a tenant.');
  let parameters = 0;
  const printer: ExpressionPrinter = {
    query: (inner) => printBody(inner, state),
    parameter: () => `x${(parameters += 1)}`,
  };
  const state: State = { ...options, used: usedColumns(query), printer };
  const limit = Math.min(query.limit ?? options.rowsMax, options.rowsMax);
  return {
    sql: printBody({ ...query, limit }, state),
    columns: query.columns,
    reads: readsOf(query, options.tenantId),
  };
}
