import type { Event } from '../line-reader.ts';
import { keyValues, named } from './fields-of-line.ts';
import type { NativeParser } from './native-parser.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const dayMilliseconds = 86_400_000;

/**
 * Time of a stamp such as `Nov 18 16:33:00`. It has no year: the one of the parse time is taken, or the one before when
 * the stamp would lie more than a day ahead, as it does for December's lines read in January.
 */
export function withoutYear(stamp: string, parseTime: Date): string | undefined {
  const match = /^([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)$/.exec(stamp);
  const month = months.indexOf(match?.[1] ?? '');
  if (match === null || month === -1) return undefined;
  const [, , day, hour, minute, second] = match.map(Number);
  const inYear = (year: number) => new Date(Date.UTC(year, month, day ?? 1, hour, minute, second));
  const thisYear = inYear(parseTime.getUTCFullYear());
  const isAhead = thisYear.getTime() > parseTime.getTime() + dayMilliseconds;
  return (isAhead ? inYear(parseTime.getUTCFullYear() - 1) : thisYear).toISOString();
}

/** What the number in front says: the facility, times eight, and the severity. */
function priorityOf(text: string | undefined): Event | undefined {
  const priority = Number(text);
  if (text === undefined || priority > 191) return undefined;
  return { priority, facility: Math.floor(priority / 8), severity: priority % 8 };
}

const oldForm = /^<(\d{1,3})>([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d) (\S+) (.*)$/s;

export const syslog3164: NativeParser = {
  reads: 'lines',
  read(line, parseTime) {
    const match = oldForm.exec(line);
    const event = priorityOf(match?.[1]);
    const timestamp = withoutYear(match?.[2] ?? '', parseTime);
    if (match === null || event === undefined || timestamp === undefined) return undefined;
    const [, , , hostname, rest = ''] = match;
    const tagged = /^([^\s:[]{1,64})(?:\[([^\]]{1,64})\])?: ?(.*)$/s.exec(rest);
    return Object.assign(
      event,
      { timestamp },
      named(
        ['hostname', 'appname', 'procid', 'message'],
        [hostname ?? '', tagged?.[1] ?? '', tagged?.[2] ?? '', tagged?.[3] ?? rest],
      ),
    );
  },
};

const element = /\[([^\s=\]"]{1,255})((?: [^\s=\]"]{1,255}="(?:[^"\\\]]|\\.)*")*)\]/y;

/** Structured data as `{ id: { name: value } }`, and where it ends. */
function structuredData(text: string): { readonly data?: Event; readonly end: number } {
  if (text.startsWith('-')) return { end: 1 };
  const data: Event = Object.create(null);
  let end = 0;
  for (;;) {
    element.lastIndex = end;
    const match = element.exec(text);
    if (match === null) return end === 0 ? { end } : { data, end };
    data[match[1] ?? ''] = Object.fromEntries(keyValues(match[2] ?? ''));
    end = element.lastIndex;
  }
}

const newForm = /^<(\d{1,3})>(\d{1,2}) (\S+) (\S+) (\S+) (\S+) (\S+) ?(.*)$/s;
const headColumns = ['version', 'timestamp', 'hostname', 'appname', 'procid', 'msgid'];
const byteOrderMark = '\uFEFF';

function newFormEvent(line: string): { readonly event: Event; readonly rest: string } | undefined {
  const match = newForm.exec(line);
  const event = priorityOf(match?.[1]);
  if (match === null || event === undefined) return undefined;
  return { event: Object.assign(event, named(headColumns, match.slice(2, 8))), rest: match[8] ?? '' };
}

export const syslog5424: NativeParser = {
  reads: 'lines',
  read(line) {
    const found = newFormEvent(line);
    if (found === undefined) return undefined;
    const { event, rest } = found;
    const { data, end } = structuredData(rest);
    if (end === 0 && rest !== '') return undefined;
    if (data !== undefined) event['structured_data'] = data;
    const message = rest.slice(end).trimStart().replace(byteOrderMark, '');
    if (message !== '') event['message'] = message;
    return event;
  },
};

/** Messages of Heroku's router: their pairs are fields of the schema. */
const routerKeys = new Set([
  'at',
  'code',
  'desc',
  'method',
  'path',
  'host',
  'request_id',
  'fwd',
  'dyno',
  'connect',
  'service',
  'status',
  'bytes',
  'protocol',
]);

/** Log drains frame each message with its length and leave the structured data out. */
export const herokuDrain: NativeParser = {
  reads: 'lines',
  read(line) {
    const found = newFormEvent(line.replace(/^\d{1,6} (?=<)/, ''));
    if (found === undefined) return undefined;
    const { event, rest } = found;
    const message = rest.replace(/^- /, '');
    if (event['procid'] === 'router')
      for (const [key, value] of keyValues(message)) if (routerKeys.has(key) && value !== '') event[key] = value;
    event['message'] = message;
    return event;
  },
};
