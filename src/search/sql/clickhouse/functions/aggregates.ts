import type { Expr } from '../../../plan/plan.ts';
import { arrayOf, floatType, integerType } from '../../../plan/type.ts';
import { literal, literalInteger, toNumber } from '../../coerce.ts';
import { gathered } from '../../functions/aggregate-functions.ts';
import {
  aggregate,
  argument,
  type Call,
  called,
  type FunctionDefinition,
  type Functions,
  problem,
} from '../../functions/call.ts';

const withParameters = (definition: FunctionDefinition): FunctionDefinition => ({
  ...definition,
  takesParameters: true,
});

const parameter = (call: Call, index: number): Expr | undefined => {
  const node = call.parameters[index];
  return node === undefined ? undefined : call.binder.expr(node, call.at);
};

/** The whole number in the first parentheses. */
function count(call: Call, fallback: number | undefined): number | undefined {
  const expr = parameter(call, 0);
  const number = expr === undefined ? fallback : literalInteger(expr);
  if (expr !== undefined && (number === undefined || number < 1 || number > 10_000))
    throw problem(call, 'the number in the first parentheses is whole, from 1 to 10000.');
  return number;
}

function quantileAt(call: Call, share: Expr | undefined): Expr {
  const value = share ?? literal(0.5, floatType);
  if (value.node !== 'literal' || typeof value.value !== 'number' || value.value < 0 || value.value > 1)
    throw problem(call, 'the level is a number from 0 to 1 written in the statement.', 'Write quantile(0.95)(column).');
  return called(call, 'PERCENTILE_CONT', [value, toNumber(argument(call, 0), call.place)], floatType);
}

const quantile = withParameters(aggregate(1, 1, (call) => quantileAt(call, parameter(call, 0))));

const quantiles = withParameters(
  aggregate(1, 1, (call) => ({
    node: 'list',
    items: call.parameters.map((_, index) => quantileAt(call, parameter(call, index))),
    type: arrayOf(floatType),
  })),
);

const unique = (isExact: boolean): FunctionDefinition =>
  aggregate(1, 20, (call) => {
    const values = call.nodes.map((_, index) => gathered(call, index));
    return isExact
      ? called(call, 'COUNT', values, integerType, { isDistinct: true })
      : called(call, 'APPROX_COUNT_DISTINCT', values, integerType);
  });

/** `groupArray(x)`, or no more than `n` with `groupArray(n)(x)`. */
const gather = (isDistinct: boolean): FunctionDefinition =>
  withParameters(
    aggregate(1, 1, (call) => {
      const value = gathered(call, 0);
      const most = count(call, undefined);
      const list = called(call, 'ARRAY_AGG', [value], arrayOf(value.type), { isDistinct });
      if (most === undefined) return list;
      const args = [list, literal(0, integerType), literal(most, integerType)];
      return { node: 'call', name: 'ARRAY_SLICE', args, type: list.type };
    }),
  );

const top = withParameters(
  aggregate(1, 1, (call) => {
    const value = gathered(call, 0);
    return called(call, 'TOP_K', [literal(count(call, 10) ?? 10, integerType), value], arrayOf(value.type));
  }),
);

/** Functions of many rows under the names that ClickHouse gives them. */
export const aggregatesOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  any: snowflake.get('ANY_VALUE'),
  anyLast: snowflake.get('ANY_VALUE'),
  argMax: snowflake.get('MAX_BY'),
  argMin: snowflake.get('MIN_BY'),
  countIf: snowflake.get('COUNT_IF'),
  uniq: unique(false),
  uniqCombined: unique(false),
  uniqHLL12: unique(false),
  uniqExact: unique(true),
  groupArray: gather(false),
  groupUniqArray: gather(true),
  quantile,
  quantileExact: quantile,
  quantileTDigest: quantile,
  quantiles,
  topK: top,
  stddevSamp: snowflake.get('STDDEV'),
  stddevPop: snowflake.get('STDDEV_POP'),
  varSamp: snowflake.get('VARIANCE'),
  lagInFrame: snowflake.get('LAG'),
  leadInFrame: snowflake.get('LEAD'),
});

/** `sumIf(x, condition)`: rows that do not fit give NULL, which aggregates leave out. */
export function withCondition(base: FunctionDefinition): FunctionDefinition | undefined {
  if (base.kind !== 'aggregate') return undefined;
  return {
    ...base,
    least: base.least + 1,
    most: base.most + 1,
    bind(call) {
      const condition = call.nodes.at(-1);
      const nodes = call.nodes.slice(0, -1).map((result) => ({ Case: { conditions: [{ condition, result }] } }));
      return base.bind({ ...call, nodes });
    },
  };
}
