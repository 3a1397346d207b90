/** Turns a value into milliseconds since 1970 (UTC), or undefined when it is not of the format. */
export type TimeParser = (value: string | number) => number | undefined;

const unixParser =
  (perMillisecond: number, multiply: boolean): TimeParser =>
  (value) => {
    const number = typeof value === 'number' ? value : /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isFinite(number)) return undefined;
    const milliseconds = multiply ? number * perMillisecond : number / perMillisecond;
    return inRange(Math.floor(milliseconds));
  };

/** What the lake's DateTime64 can hold: 1900 to 2299. */
const earliest = Date.UTC(1900, 0, 1);
const latest = Date.UTC(2299, 11, 31);
const inRange = (milliseconds: number): number | undefined =>
  milliseconds >= earliest && milliseconds <= latest ? milliseconds : undefined;

/** Seconds, milliseconds, microseconds or nanoseconds, told apart by magnitude: good for moments after 1973. */
const unixAuto: TimeParser = (value) => {
  const number = Number(value);
  const size = Math.abs(number);
  if (!Number.isFinite(number) || value === '') return undefined;
  if (size < 1e11) return inRange(Math.floor(number * 1e3));
  if (size < 1e14) return inRange(Math.floor(number));
  return inRange(Math.floor(size < 1e17 ? number / 1e3 : number / 1e6));
};

const rfc3339Pattern = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?\s*([Zz]|[+-]\d\d:?\d\d)?$/;

/** RFC 3339 section 5.6; without a zone the time is UTC. */
const rfc3339: TimeParser = (value) => {
  if (typeof value !== 'string') return undefined;
  const match = rfc3339Pattern.exec(value);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  return fromParts({
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millisecond: fraction === undefined ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0')),
    offsetMinutes: zone === undefined ? 0 : offsetOf(zone),
  });
};

type Parts = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  offsetMinutes: number;
};

function offsetOf(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const digits = zone.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4));
  return zone.startsWith('-') ? -minutes : minutes;
}

/** A leap second becomes the next minute's first; a day that does not exist is no time. */
function fromParts(parts: Parts): number | undefined {
  const { year, month, day, hour, minute, second, millisecond } = parts;
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second, millisecond));
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return undefined;
  return inRange(date.getTime() - parts.offsetMinutes * 60_000);
}

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const monthOf = (text: string): number =>
  months.findIndex((name) => name.startsWith(text.toLowerCase().slice(0, 3))) + 1;

type Code = { readonly pattern: string; readonly apply?: (parts: Parts & { isPm?: boolean }, text: string) => void };

/** The strftime codes of the schema language. Names of days and weeks are read over: the date says them already. */
const codes: Readonly<Record<string, Code>> = {
  Y: { pattern: '(\\d{4})', apply: (parts, text) => void (parts.year = Number(text)) },
  y: {
    pattern: '(\\d{2})',
    apply: (parts, text) => void (parts.year = Number(text) + (Number(text) < 69 ? 2000 : 1900)),
  },
  m: { pattern: '(\\d{1,2})', apply: (parts, text) => void (parts.month = Number(text)) },
  b: { pattern: '([A-Za-z]{3,9})', apply: (parts, text) => void (parts.month = monthOf(text)) },
  B: { pattern: '([A-Za-z]{3,9})', apply: (parts, text) => void (parts.month = monthOf(text)) },
  d: { pattern: '\\s*(\\d{1,2})', apply: (parts, text) => void (parts.day = Number(text)) },
  j: { pattern: '(\\d{1,3})', apply: (parts, text) => void ((parts.month = 1), (parts.day = Number(text))) },
  H: { pattern: '\\s*(\\d{1,2})', apply: (parts, text) => void (parts.hour = Number(text)) },
  I: { pattern: '\\s*(\\d{1,2})', apply: (parts, text) => void (parts.hour = Number(text) % 12) },
  p: { pattern: '([AaPp][Mm])', apply: (parts, text) => void (parts.isPm = text.toLowerCase() === 'pm') },
  M: { pattern: '(\\d{1,2})', apply: (parts, text) => void (parts.minute = Number(text)) },
  S: { pattern: '(\\d{1,2})', apply: (parts, text) => void (parts.second = Number(text)) },
  f: {
    pattern: '(\\d{1,9})',
    apply: (parts, text) => void (parts.millisecond = Number(text.slice(0, 3).padEnd(3, '0'))),
  },
  z: { pattern: '([Zz]|[+-]\\d\\d:?\\d\\d)', apply: (parts, text) => void (parts.offsetMinutes = offsetOf(text)) },
  Z: { pattern: '([A-Za-z]{1,5})' },
  a: { pattern: '([A-Za-z]{3,9})' },
  A: { pattern: '([A-Za-z]{3,9})' },
  w: { pattern: '(\\d)' },
  U: { pattern: '(\\d{1,2})' },
  '%': { pattern: '(%)' },
};
const composed: Readonly<Record<string, string>> = { c: '%a %b %d %H:%M:%S %Y', x: '%m/%d/%y', X: '%H:%M:%S' };

function strftime(format: string): TimeParser {
  const expanded = format.replaceAll(/%([cxX])/g, (_, letter: string) => composed[letter] ?? '');
  const used: Code[] = [];
  const source = expanded.replaceAll(/%(.)|([^%]+)/g, (_, letter: string | undefined, text: string | undefined) => {
    if (letter === undefined) return (text ?? '').replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    const code = codes[letter];
    if (code === undefined) throw new Error(`the time format code %${letter} is not known`);
    used.push(code);
    return code.pattern;
  });
  const pattern = new RegExp(`^${source}$`);
  return (value) => {
    const match = pattern.exec(String(value).trim());
    if (match === null) return undefined;
    const parts: Parts & { isPm?: boolean } = {
      year: 1970,
      month: 1,
      day: 1,
      hour: 0,
      minute: 0,
      second: 0,
      millisecond: 0,
      offsetMinutes: 0,
    };
    for (const [index, code] of used.entries()) code.apply?.(parts, match[index + 1] ?? '');
    if (parts.isPm === true) parts.hour += 12;
    return used.includes(codes['j'] ?? { pattern: '' }) ? dayOfYear(parts) : fromParts(parts);
  };
}

function dayOfYear(parts: Parts): number | undefined {
  if (parts.day < 1 || parts.day > 366) return undefined;
  const start = fromParts({ ...parts, month: 1, day: 1 });
  return start === undefined ? undefined : start + (parts.day - 1) * 86_400_000;
}

/** Go's reference time written as strftime; the longer words first, so that none is cut apart. */
const goWords: readonly (readonly [string, string])[] = [
  ['2006', '%Y'],
  ['January', '%B'],
  ['Monday', '%A'],
  ['-07:00', '%z'],
  ['-0700', '%z'],
  ['Z07:00', '%z'],
  ['.000000000', '.%f'],
  ['.999999999', '.%f'],
  ['.000000', '.%f'],
  ['.000', '.%f'],
  ['.999', '.%f'],
  ['Jan', '%b'],
  ['Mon', '%a'],
  ['MST', '%Z'],
  ['01', '%m'],
  ['02', '%d'],
  ['15', '%H'],
  ['03', '%I'],
  ['04', '%M'],
  ['05', '%S'],
  ['06', '%y'],
  ['PM', '%p'],
];

function goLayout(layout: string): TimeParser {
  const words = new RegExp(goWords.map(([word]) => word.replaceAll(/[.+]/g, '\\$&')).join('|'), 'g');
  return strftime(layout.replaceAll(words, (word) => goWords.find(([known]) => known === word)?.[1] ?? word));
}

/** Compiles a time format. Throws with the reason when it is not one of the language. */
export function timeParser(format: string): TimeParser {
  switch (format) {
    case 'rfc3339':
      return rfc3339;
    case 'unix':
      return unixParser(1000, true);
    case 'unix_ms':
      return unixParser(1, true);
    case 'unix_us':
      return unixParser(1e3, false);
    case 'unix_ns':
      return unixParser(1e6, false);
    case 'unix_auto':
      return unixAuto;
    case 'cloudflare':
      return (value) =>
        typeof value === 'string'
          ? rfc3339(value)
          : value < 60e9
            ? inRange(value * 1000)
            : inRange(Math.floor(value / 1e6));
    default:
      if (format.startsWith('layout=')) return goLayout(format.slice(7));
      if (!format.includes('%'))
        throw new Error(
          `the time format "${format}" is not known: use rfc3339, unix, unix_ms, unix_us, unix_ns, unix_auto or a strftime pattern`,
        );
      return strftime(format);
  }
}
