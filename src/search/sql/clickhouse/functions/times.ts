import type { Expr, TimeUnit } from '../../../plan/plan.ts';
import { dateType, integerType, intervalType, isTime, stringType, timestampType } from '../../../plan/type.ts';
import { cast, convert, literal, literalText, toNumber } from '../../coerce.ts';
import {
  argument,
  type Call,
  called,
  type FunctionDefinition,
  type Functions,
  problem,
  scalar,
  textArgument,
  unitArgument,
} from '../../functions/call.ts';
import { now, part, timeAt } from '../../functions/time-functions.ts';

/** All times are UTC; a call that asks for another zone is refused rather than answered wrongly. */
function refuseZone(call: Call, index: number): void {
  if (call.nodes.length <= index) return;
  const zone = literalText(argument(call, index));
  if (zone === undefined || !/^(etc\/)?(utc|gmt)$/i.test(zone))
    throw problem(call, 'only the time zone UTC is supported.', 'Leave the time zone away.');
}

const truncated = (unit: TimeUnit, type = timestampType): FunctionDefinition =>
  scalar(1, 2, (call) => {
    refuseZone(call, 1);
    return convert(called(call, 'DATE_TRUNC', [timeAt(call, 0)], timestampType, { unit }), type);
  });

const sliced = (call: Call, amount: number, unit: TimeUnit): Expr =>
  called(call, 'TIME_SLICE', [timeAt(call, 0), literal(amount, integerType)], timestampType, { unit });

const slices = (minutes: number): FunctionDefinition =>
  scalar(1, 2, (call) => {
    refuseZone(call, 1);
    return sliced(call, minutes, 'minute');
  });

const ofInterval = scalar(2, 3, (call) => {
  refuseZone(call, 2);
  const interval = argument(call, 1);
  if (interval.node !== 'interval' || interval.amount.node !== 'literal' || typeof interval.amount.value !== 'number')
    throw problem(call, 'the second argument is an interval.', 'Write INTERVAL 5 MINUTE.');
  if (interval.amount.value < 1) throw problem(call, 'the interval is 1 or more.');
  return sliced(call, interval.amount.value, interval.unit);
});

const interval = (amount: Expr, unit: TimeUnit): Expr => ({ node: 'interval', amount, unit, type: intervalType });
const whole = (call: Call, index: number): Expr => convert(toNumber(argument(call, index), call.place), integerType);
const shifted = (call: Call, time: Expr, by: Expr, isBack: boolean): Expr => {
  if (by.type.kind !== 'interval') throw problem(call, 'an interval is expected.', 'Write INTERVAL 1 DAY.');
  return { node: 'operator', operator: isBack ? '-' : '+', args: [time, by], type: timestampType };
};

/** `date_add(day, 1, t)` or `date_add(t, INTERVAL 1 DAY)`. */
const shift = (isBack: boolean): FunctionDefinition =>
  scalar(2, 3, (call) =>
    call.nodes.length === 2
      ? shifted(call, timeAt(call, 0), argument(call, 1), isBack)
      : shifted(call, timeAt(call, 2), interval(whole(call, 1), unitArgument(call, 0)), isBack),
  );

/** Sunday begins the week unless the mode says Monday. */
const startOfWeek = scalar(1, 3, (call) => {
  refuseZone(call, 2);
  const mode = call.nodes.length > 1 ? argument(call, 1) : literal(0, integerType);
  if (mode.node !== 'literal' || (mode.value !== 0 && mode.value !== 1))
    throw problem(call, 'the mode is 0 (Sunday) or 1 (Monday).');
  const day = interval(literal(1, integerType), 'day');
  const time = mode.value === 1 ? timeAt(call, 0) : shifted(call, timeAt(call, 0), day, false);
  const monday = called(call, 'DATE_TRUNC', [time], timestampType, { unit: 'week' });
  return convert(mode.value === 1 ? monday : shifted(call, monday, day, true), dateType);
});

const units = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
const capital = (unit: string): string => unit.replace(/^./, (first) => first.toUpperCase());

const perUnit = (name: (unit: string) => string, make: (unit: TimeUnit) => FunctionDefinition) =>
  Object.fromEntries(units.map((unit) => [name(capital(unit)), make(unit)] as const));

const addition =
  (isBack: boolean) =>
  (unit: TimeUnit): FunctionDefinition =>
    scalar(2, 2, (call) => shifted(call, timeAt(call, 0), interval(whole(call, 1), unit), isBack));

const moment = (zoneAt: number): FunctionDefinition =>
  scalar(1, 3, (call) => {
    refuseZone(call, zoneAt);
    return cast(argument(call, 0), timestampType, call.place);
  });

const date = scalar(1, 2, (call) => {
  refuseZone(call, 1);
  return cast(argument(call, 0), dateType, call.place);
});

/** The day so many days before today. */
const day = (back: number): FunctionDefinition =>
  scalar(0, 1, (call) => ({
    node: 'time',
    at: new Date(call.binder.now.getTime() - back * 86_400_000),
    type: dateType,
  }));

const numbered = (parts: readonly (readonly [name: string, factor: number])[]): FunctionDefinition =>
  scalar(1, 2, (call) => {
    refuseZone(call, 1);
    const time = timeAt(call, 0);
    return parts
      .map(([name, factor]): Expr => {
        const value = called(call, name, [time], integerType);
        return { node: 'operator', operator: '*', args: [value, literal(factor, integerType)], type: integerType };
      })
      .reduce((left, right): Expr => ({ node: 'operator', operator: '+', args: [left, right], type: integerType }));
  });

const formatted = scalar(2, 3, (call) => {
  refuseZone(call, 2);
  return called(call, 'FORMAT_TIME', [timeAt(call, 0), literal(textArgument(call, 1), stringType)], stringType);
});

const current = scalar(0, 2, (call) => {
  const last = call.nodes.length - 1;
  if (last >= 0 && !isTime(argument(call, last).type) && literalText(argument(call, last)) !== undefined)
    refuseZone(call, last);
  return now(call);
});

/** The moment of the query, moments read from other values, and their parts. */
const moments: Readonly<Record<string, FunctionDefinition>> = {
  now: current,
  now64: current,
  today: day(0),
  yesterday: day(1),
  toDateTime: moment(1),
  toDateTime64: moment(2),
  toDateTimeOrNull: moment(1),
  parseDateTimeBestEffort: moment(1),
  parseDateTimeBestEffortOrNull: moment(1),
  parseDateTime64BestEffort: moment(2),
  fromUnixTimestamp: moment(1),
  fromUnixTimestamp64Milli: moment(1),
  toUnixTimestamp: part('epoch'),
  toDate: date,
  toDate32: date,
  toDateOrNull: date,
  toYear: part('year'),
  toQuarter: part('quarter'),
  toMonth: part('month'),
  toISOWeek: part('week'),
  toDayOfMonth: part('day'),
  toDayOfWeek: part('dayofweekiso'),
  toDayOfYear: part('dayofyear'),
  toHour: part('hour'),
  toMinute: part('minute'),
  toSecond: part('second'),
  toYYYYMM: numbered([
    ['PART_YEAR', 100],
    ['PART_MONTH', 1],
  ]),
  toYYYYMMDD: numbered([
    ['PART_YEAR', 10_000],
    ['PART_MONTH', 100],
    ['PART_DAY', 1],
  ]),
  formatDateTime: formatted,
};

/** Functions of times under the names that ClickHouse gives them. */
export const timesOf = (snowflake: Functions): Readonly<Record<string, FunctionDefinition | undefined>> => ({
  ...moments,
  ...perUnit(
    (unit) => `toInterval${unit}`,
    (unit) => scalar(1, 1, (call) => interval(whole(call, 0), unit)),
  ),
  ...perUnit((unit) => `add${unit}s`, addition(false)),
  ...perUnit((unit) => `subtract${unit}s`, addition(true)),
  toStartOfSecond: truncated('second'),
  toStartOfMinute: truncated('minute'),
  toStartOfFiveMinutes: slices(5),
  toStartOfFiveMinute: slices(5),
  toStartOfTenMinutes: slices(10),
  toStartOfFifteenMinutes: slices(15),
  timeSlot: slices(30),
  toStartOfHour: truncated('hour'),
  toStartOfDay: truncated('day'),
  toMonday: truncated('week', dateType),
  toStartOfWeek: startOfWeek,
  toStartOfMonth: truncated('month', dateType),
  toStartOfQuarter: truncated('quarter', dateType),
  toStartOfYear: truncated('year', dateType),
  toStartOfInterval: ofInterval,
  toLastDayOfMonth: snowflake.get('LAST_DAY'),
  dateTrunc: snowflake.get('DATE_TRUNC'),
  dateDiff: snowflake.get('DATEDIFF'),
  date_diff: snowflake.get('DATEDIFF'),
  timestampDiff: snowflake.get('DATEDIFF'),
  dateAdd: shift(false),
  date_add: shift(false),
  dateSub: shift(true),
  date_sub: shift(true),
});
