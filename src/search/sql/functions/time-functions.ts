import { parseDuration } from '../../language/time-text.ts';
import type { Expr, TimeUnit } from '../../plan/plan.ts';
import { dateType, integerType, isTime, stringType, timestampType, booleanType } from '../../plan/type.ts';
import { cast, convert, literal, literalText, toNumber } from '../coerce.ts';
import { type Identifier, identifierOf, nodeOf, tagged } from '../node.ts';
import { resolve } from '../scope.ts';
import {
  argument,
  type Call,
  called,
  type FunctionDefinition,
  integerArgument,
  problem,
  scalar,
  unitArgument,
  wordArgument,
} from './call.ts';

export const now = (call: Call): Expr => ({ node: 'time', at: call.binder.now, type: timestampType });

export const timeAt = (call: Call, index: number): Expr => {
  const expr = argument(call, index);
  return expr.type.kind === 'timestamp' ? expr : convert(expr, timestampType, call.place);
};

/** The amount may be negative or computed. */
function add(call: Call): Expr {
  const unit = unitArgument(call, 0);
  const amount = convert(toNumber(argument(call, 1), call.place), integerType);
  const interval: Expr = { node: 'interval', amount, unit, type: { kind: 'interval' } };
  return { node: 'operator', operator: '+', args: [timeAt(call, 2), interval], type: timestampType };
}

export const part = (unit: TimeUnit | 'dayofweek' | 'dayofweekiso' | 'dayofyear' | 'epoch'): FunctionDefinition =>
  scalar(1, 1, (call) => called(call, `PART_${unit.toUpperCase()}`, [timeAt(call, 0)], integerType));

const otherParts: Readonly<Record<string, string>> = {
  dayofweek: 'DAYOFWEEK',
  dow: 'DAYOFWEEK',
  weekday: 'DAYOFWEEK',
  dayofweekiso: 'DAYOFWEEKISO',
  dayofweek_iso: 'DAYOFWEEKISO',
  weekday_iso: 'DAYOFWEEKISO',
  dayofyear: 'DAYOFYEAR',
  doy: 'DAYOFYEAR',
  epoch: 'EPOCH',
  epoch_second: 'EPOCH',
  epoch_seconds: 'EPOCH',
};

/** `extract(dow from t)` and `date_part('epoch', t)` know more parts than there are units. */
function datePart(call: Call): Expr {
  const word = wordArgument(call, 0);
  const other = otherParts[word.toLowerCase()];
  return called(call, `PART_${other ?? unitArgument(call, 0).toUpperCase()}`, [timeAt(call, 1)], integerType);
}

/** Years and such begin in the calendar, so a slice may not be of another kind. */
function slice(call: Call): Expr {
  const length = integerArgument(call, 1);
  if (length < 1) throw problem(call, 'the length of a slice is 1 or more.');
  return called(call, 'TIME_SLICE', [timeAt(call, 0), literal(length, integerType)], timestampType, {
    unit: unitArgument(call, 2),
  });
}

const toTimestamp = scalar(1, 2, (call) => cast(argument(call, 0), timestampType, call.place));
const toDate = scalar(1, 2, (call) => cast(argument(call, 0), dateType, call.place));
const nowFunction = scalar(0, 1, now);

/** A bare name among the arguments; an empty one was made NULL. */
function nameAt(call: Call, index: number): Identifier | undefined {
  const node = call.nodes[index];
  if (node === undefined) return undefined;
  const { tag, body } = tagged(node);
  if (tag === 'Identifier') return identifierOf(body);
  if (tag === 'Value' && tagged(nodeOf(body)['value']).tag === 'Null') return undefined;
  throw problem(call, `argument ${index + 1} must be the bare name of a table or column.`, macroForms[call.name]);
}

/** The values of a macro, and the time it restricts: `p_event_time`, or what alias and column say. */
function macroArguments(call: Call, count: number): { readonly values: readonly Expr[]; readonly time: Expr } {
  if (call.nodes.length < count) throw problem(call, `${count} arguments are needed.`, macroForms[call.name]);
  const values = call.nodes.slice(0, count).map((_, index) => argument(call, index));
  const column = nameAt(call, count + 1) ?? { text: 'p_event_time', isQuoted: false, place: call.place };
  const alias = nameAt(call, count);
  const { expr } = resolve(call.at.scope, alias === undefined ? [column] : [alias, column]);
  return { values, time: convert(expr, timestampType, call.place) };
}

const macroForms: Readonly<Record<string, string>> = {
  P_OCCURS_SINCE: "Write p_occurs_since('1 day').",
  P_OCCURS_BETWEEN: "Write p_occurs_between('2026-01-01', '2026-01-02').",
  P_OCCURS_AROUND: "Write p_occurs_around('2026-01-01 12:00:00', '10 m').",
  P_OCCURS_NEAR: "Write p_occurs_near('2026-01-01 12:00:00', '10 m').",
  P_OCCURS_AFTER: "Write p_occurs_after('2026-01-01').",
  P_OCCURS_BEFORE: "Write p_occurs_before('2026-01-01').",
};

function durationOf(call: Call, expr: Expr | undefined): number {
  if (expr?.node === 'literal' && typeof expr.value === 'number') return expr.value * 1000;
  const text = expr === undefined ? undefined : literalText(expr);
  const milliseconds =
    text === undefined ? undefined : (parseDuration(text) ?? (/^\d+$/.test(text) ? Number(text) * 1000 : undefined));
  if (milliseconds === undefined)
    throw problem(call, `"${text ?? ''}" is not a duration.`, "Write '90 m', '1 h' or '7 days'.");
  return milliseconds;
}

const compare = (operator: '>=' | '<=' | '<' | '>', left: Expr, right: Expr): Expr => ({
  node: 'operator',
  operator,
  args: [left, right],
  type: booleanType,
});
const both = (left: Expr, right: Expr): Expr => ({
  node: 'operator',
  operator: 'and',
  args: [left, right],
  type: booleanType,
});
const momentOf = (call: Call, expr: Expr | undefined): Expr => {
  if (expr === undefined) throw problem(call, 'a time is missing.', macroForms[call.name]);
  return isTime(expr.type) ? expr : convert(expr, timestampType, call.place);
};
const at = (milliseconds: number): Expr => ({ node: 'time', at: new Date(milliseconds), type: timestampType });

function shifted(call: Call, moment: Expr, milliseconds: number): Expr {
  if (moment.node === 'time') return at(moment.at.getTime() + milliseconds);
  const amount = literal(Math.abs(milliseconds), integerType);
  const interval: Expr = { node: 'interval', amount, unit: 'millisecond', type: { kind: 'interval' } };
  return { node: 'operator', operator: milliseconds < 0 ? '-' : '+', args: [moment, interval], type: timestampType };
}

const around = scalar(2, 4, (call) => {
  const { values, time } = macroArguments(call, 2);
  const moment = momentOf(call, values[0]);
  const span = durationOf(call, values[1]);
  return both(compare('>=', time, shifted(call, moment, -span)), compare('<=', time, shifted(call, moment, span)));
});

const macros: Readonly<Record<string, FunctionDefinition>> = {
  P_CURRENT_TIMESTAMP: nowFunction,
  P_OCCURS_SINCE: scalar(1, 4, (call) => {
    const { values, time } = macroArguments(call, 1);
    return compare('>=', time, at(call.binder.now.getTime() - durationOf(call, values[0])));
  }),
  P_OCCURS_BETWEEN: scalar(2, 5, (call) => {
    const { values, time } = macroArguments(call, 2);
    return both(compare('>=', time, momentOf(call, values[0])), compare('<=', time, momentOf(call, values[1])));
  }),
  P_OCCURS_AROUND: around,
  P_OCCURS_NEAR: around,
  P_OCCURS_AFTER: scalar(1, 4, (call) => {
    const { values, time } = macroArguments(call, 1);
    return compare('>=', time, momentOf(call, values[0]));
  }),
  P_OCCURS_BEFORE: scalar(1, 4, (call) => {
    const { values, time } = macroArguments(call, 1);
    return compare('<=', time, momentOf(call, values[0]));
  }),
};

const difference = scalar(3, 3, (call) =>
  called(call, 'DATEDIFF', [timeAt(call, 1), timeAt(call, 2)], integerType, { unit: unitArgument(call, 0) }),
);
const addition = scalar(3, 3, add);

/** Functions of times, and the macros that restrict a query to a range of event times. */
export const timeFunctions: Readonly<Record<string, FunctionDefinition>> = {
  ...macros,
  CURRENT_TIMESTAMP: nowFunction,
  LOCALTIMESTAMP: nowFunction,
  SYSDATE: nowFunction,
  GETDATE: nowFunction,
  SYSTIMESTAMP: nowFunction,
  NOW: nowFunction,
  CURRENT_DATE: scalar(0, 0, (call) => convert(now(call), dateType)),
  DATEADD: addition,
  TIMEADD: addition,
  TIMESTAMPADD: addition,
  DATEDIFF: difference,
  TIMEDIFF: difference,
  TIMESTAMPDIFF: difference,
  DATE_TRUNC: scalar(2, 2, (call) =>
    called(call, 'DATE_TRUNC', [timeAt(call, 1)], timestampType, { unit: unitArgument(call, 0) }),
  ),
  TIME_SLICE: scalar(3, 4, slice),
  DATE_PART: scalar(2, 2, datePart),
  YEAR: part('year'),
  QUARTER: part('quarter'),
  MONTH: part('month'),
  WEEK: part('week'),
  WEEKOFYEAR: part('week'),
  DAY: part('day'),
  DAYOFMONTH: part('day'),
  DAYOFWEEK: part('dayofweek'),
  DAYOFWEEKISO: part('dayofweekiso'),
  DAYOFYEAR: part('dayofyear'),
  HOUR: part('hour'),
  MINUTE: part('minute'),
  SECOND: part('second'),
  DAYNAME: scalar(1, 1, (call) => called(call, 'DAYNAME', [timeAt(call, 0)], stringType)),
  MONTHNAME: scalar(1, 1, (call) => called(call, 'MONTHNAME', [timeAt(call, 0)], stringType)),
  LAST_DAY: scalar(1, 1, (call) => called(call, 'LAST_DAY', [timeAt(call, 0)], dateType)),
  TO_TIMESTAMP: toTimestamp,
  TO_TIMESTAMP_NTZ: toTimestamp,
  TO_TIMESTAMP_LTZ: toTimestamp,
  TO_TIMESTAMP_TZ: toTimestamp,
  TRY_TO_TIMESTAMP: toTimestamp,
  TRY_TO_TIMESTAMP_NTZ: toTimestamp,
  TO_DATE: toDate,
  DATE: toDate,
  TRY_TO_DATE: toDate,
};
