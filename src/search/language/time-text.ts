/** Times and durations as people write them. */

const timePattern =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?$/i;

function offsetMinutes(zone: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone ?? '');
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return match[1] === '-' ? -minutes : minutes;
}

/** `2026-01-31`, `2026-01-31 12:00:00.123`, `2026-01-31T12:00:00Z`; without a zone it is UTC. Undefined when it is no time. */
export function parseTime(text: string): Date | undefined {
  const match = timePattern.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const parts = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second)] as const;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  const date = new Date(Date.UTC(...parts, milliseconds));
  const isReal =
    date.getUTCMonth() === parts[1] &&
    date.getUTCDate() === parts[2] &&
    parts[3] < 24 &&
    parts[4] < 60 &&
    parts[5] < 60;
  return isReal ? new Date(date.getTime() - offsetMinutes(zone) * 60_000) : undefined;
}

const unitNames: Readonly<
  Record<string, 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year'>
> = {
  ms: 'millisecond',
  msec: 'millisecond',
  millisecond: 'millisecond',
  milliseconds: 'millisecond',
  s: 'second',
  sec: 'second',
  secs: 'second',
  second: 'second',
  seconds: 'second',
  m: 'minute',
  mi: 'minute',
  min: 'minute',
  mins: 'minute',
  minute: 'minute',
  minutes: 'minute',
  h: 'hour',
  hh: 'hour',
  hr: 'hour',
  hrs: 'hour',
  hour: 'hour',
  hours: 'hour',
  d: 'day',
  dd: 'day',
  day: 'day',
  days: 'day',
  dayofmonth: 'day',
  w: 'week',
  wk: 'week',
  week: 'week',
  weeks: 'week',
  weekofyear: 'week',
  wy: 'week',
  mm: 'month',
  mon: 'month',
  mons: 'month',
  month: 'month',
  months: 'month',
  q: 'quarter',
  qtr: 'quarter',
  qtrs: 'quarter',
  quarter: 'quarter',
  quarters: 'quarter',
  y: 'year',
  yy: 'year',
  yyy: 'year',
  yyyy: 'year',
  yr: 'year',
  year: 'year',
  years: 'year',
};

/** The unit that a word means, in any case and number. */
export const unitOf = (word: string) => unitNames[word.trim().toLowerCase()];

const milliseconds: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/** `1 day`, `90m`, `1 d`: milliseconds; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)\s*$/i.exec(text);
  const unit = match === null ? undefined : unitOf(match[2] ?? '');
  const factor = unit === undefined ? undefined : milliseconds[unit];
  return factor === undefined ? undefined : Number(match?.[1]) * factor;
}
