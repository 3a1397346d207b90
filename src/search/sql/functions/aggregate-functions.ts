import type { Expr } from '../../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  floatType,
  integerType,
  type SqlType,
  stringType,
  variantType,
} from '../../plan/type.ts';
import { convert, literal, toNumber, toText } from '../coerce.ts';
import {
  aggregate,
  argument,
  type Call,
  called,
  type FunctionDefinition,
  integerArgument,
  problem,
  windowed,
} from './call.ts';

/** Object columns are gathered and compared as JSON text. */
export function gathered(call: Call, index: number): Expr {
  const expr = argument(call, index);
  return expr.type.kind === 'object' || (expr.type.kind === 'array' && expr.type.element.kind === 'object')
    ? convert(expr, variantType)
    : expr;
}

const extra = (call: Call) => ({
  ...(call.isDistinct ? { isDistinct: true } : {}),
  ...(call.withinGroup.length > 0 ? { orderBy: call.withinGroup } : {}),
});

const same = (name: string): FunctionDefinition =>
  aggregate(1, 1, (call) => {
    const expr = gathered(call, 0);
    return called(call, name, [expr], expr.type);
  });

const number = (name: string, type?: SqlType): FunctionDefinition =>
  aggregate(1, 1, (call) => {
    const expr = toNumber(argument(call, 0), call.place);
    return called(call, name, [expr], type ?? expr.type, extra(call));
  });

const condition = (name: string, type: SqlType): FunctionDefinition =>
  aggregate(1, 1, (call) => called(call, name, [convert(argument(call, 0), booleanType, call.place)], type));

const by = (name: string): FunctionDefinition =>
  aggregate(2, 2, (call) => {
    const expr = gathered(call, 0);
    return called(call, name, [expr, gathered(call, 1)], expr.type);
  });

function count(call: Call): Expr {
  if (call.isStar || call.nodes.length === 0) return called(call, 'COUNT', [], integerType);
  return called(
    call,
    'COUNT',
    call.nodes.map((_, index) => gathered(call, index)),
    integerType,
    extra(call),
  );
}

function gather(call: Call): Expr {
  const expr = gathered(call, 0);
  return called(call, 'ARRAY_AGG', [expr], arrayOf(expr.type), extra(call));
}

function percentile(call: Call): Expr {
  const item = call.withinGroup[0];
  if (item === undefined) throw problem(call, 'write WITHIN GROUP (ORDER BY column).');
  const share = argument(call, 0);
  if (share.node !== 'literal' || typeof share.value !== 'number' || share.value < 0 || share.value > 1)
    throw problem(call, 'the share is a number from 0 to 1 written in the statement.');
  return called(call, 'PERCENTILE_CONT', [share, toNumber(item.expr, call.place)], floatType);
}

const aggregates: Readonly<Record<string, FunctionDefinition>> = {
  COUNT: aggregate(0, 20, count),
  COUNT_IF: condition('COUNT_IF', integerType),
  SUM: number('SUM'),
  AVG: number('AVG', floatType),
  MEDIAN: number('MEDIAN', floatType),
  STDDEV: number('STDDEV', floatType),
  STDDEV_SAMP: number('STDDEV', floatType),
  STDDEV_POP: number('STDDEV_POP', floatType),
  VARIANCE: number('VARIANCE', floatType),
  VAR_SAMP: number('VARIANCE', floatType),
  MIN: same('MIN'),
  MAX: same('MAX'),
  ANY_VALUE: same('ANY_VALUE'),
  MODE: same('MODE'),
  MAX_BY: by('MAX_BY'),
  MIN_BY: by('MIN_BY'),
  ARRAY_AGG: aggregate(1, 1, gather),
  ARRAY_UNIQUE_AGG: aggregate(1, 1, (call) => gather({ ...call, isDistinct: true })),
  LISTAGG: aggregate(1, 2, (call) =>
    called(
      call,
      'LISTAGG',
      [toText(argument(call, 0)), call.nodes.length > 1 ? toText(argument(call, 1)) : literal('', stringType)],
      stringType,
      extra(call),
    ),
  ),
  APPROX_COUNT_DISTINCT: aggregate(1, 1, (call) =>
    called(call, 'APPROX_COUNT_DISTINCT', [gathered(call, 0)], integerType),
  ),
  HLL: aggregate(1, 1, (call) => called(call, 'APPROX_COUNT_DISTINCT', [gathered(call, 0)], integerType)),
  PERCENTILE_CONT: aggregate(1, 1, percentile),
  APPROX_PERCENTILE: aggregate(2, 2, (call) => {
    const share = argument(call, 1);
    if (share.node !== 'literal' || typeof share.value !== 'number')
      throw problem(call, 'the share is a number written in the statement.');
    return called(call, 'PERCENTILE_CONT', [share, toNumber(argument(call, 0), call.place)], floatType);
  }),
  BOOLAND_AGG: condition('BOOLAND_AGG', booleanType),
  BOOLOR_AGG: condition('BOOLOR_AGG', booleanType),
};

const rank = (name: string, type: SqlType = integerType): FunctionDefinition =>
  windowed(0, 0, (call) => called(call, name, [], type));

const neighbour = (name: string): FunctionDefinition =>
  windowed(1, 3, (call) => {
    const expr = gathered(call, 0);
    const offset = literal(call.nodes.length > 1 ? integerArgument(call, 1) : 1, integerType);
    const fallback = call.nodes.length > 2 ? [convert(argument(call, 2), expr.type, call.place)] : [];
    return called(call, name, [expr, offset, ...fallback], expr.type);
  });

const edge = (name: string): FunctionDefinition =>
  windowed(1, 1, (call) => {
    const expr = gathered(call, 0);
    return called(call, name, [expr], expr.type);
  });

/** Functions of many rows: aggregates, which may stand over a window too, and those that need a window. */
export const aggregateFunctions: Readonly<Record<string, FunctionDefinition>> = {
  ...aggregates,
  ROW_NUMBER: rank('ROW_NUMBER'),
  RANK: rank('RANK'),
  DENSE_RANK: rank('DENSE_RANK'),
  PERCENT_RANK: rank('PERCENT_RANK', floatType),
  NTILE: windowed(1, 1, (call) => called(call, 'NTILE', [literal(integerArgument(call, 0), integerType)], integerType)),
  LAG: neighbour('LAG'),
  LEAD: neighbour('LEAD'),
  FIRST_VALUE: edge('FIRST_VALUE'),
  LAST_VALUE: edge('LAST_VALUE'),
};
