import { parseJson } from '#platform/json';
import type { Event } from '../line-reader.ts';
import { keyValues } from './fields-of-line.ts';
import type { NativeParser } from './native-parser.ts';
import { withoutYear } from './syslog.ts';

/** A shipper may have wrapped the line as `{"log": …}`. */
function unwrapped(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const record = parseJson(line);
    const log = typeof record === 'object' && record !== null ? (record as Event)['log'] : undefined;
    return typeof log === 'string' ? log.trim() : line;
  } catch {
    return line;
  }
}

const auditHead = /^(?:node=(\S+) )?type=(\S+) msg=audit\((\d{1,12}\.\d{1,6}):(\d{1,20})\): ?(.*)$/s;
/** Behind this mark the daemon repeats numbers of users and calls as names. */
const enrichedMark = '\u001D';

export const auditd: NativeParser = {
  reads: 'lines',
  read(line) {
    const match = auditHead.exec(unwrapped(line));
    if (match === null) return undefined;
    const [, node, type, timestamp, sequence, rest = ''] = match;
    const event: Event = Object.create(null);
    const [plain = ''] = rest.split(enrichedMark);
    const outer = new Map(keyValues(plain));
    // User messages hold their pairs inside a quoted one.
    const inner = new Map(keyValues(/ msg='(.*)'/s.exec(` ${plain}`)?.[1] ?? ''));
    for (const [key, value] of [...outer, ...inner])
      if (value !== '?' && value !== '' && value !== '(null)') event[key] = value;
    const message = outer.get('msg');
    if (message !== undefined) event['msg'] = message;
    return Object.assign(event, { type, timestamp, sequence }, node === undefined ? {} : { node });
  },
};

/** Lines of pairs alone, as Go programs log. */
export const keyValueLine: NativeParser = {
  reads: 'lines',
  read(line) {
    if (!/^[A-Za-z_][\w.-]*=/.test(line)) return undefined;
    const event: Event = Object.create(null);
    for (const [key, value] of keyValues(line)) if (value !== '') event[key] = value;
    return event;
  },
};

const juniperHead = /^([A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d) (\S+) (.*)$/s;

function juniper(read: (rest: string) => Event | undefined): NativeParser {
  return {
    reads: 'lines',
    read(line, parseTime) {
      const [, stamp = '', hostname, rest = ''] = juniperHead.exec(line) ?? [];
      const timestamp = withoutYear(stamp, parseTime);
      const event = timestamp === undefined ? undefined : read(rest);
      return event && Object.assign(event, { timestamp, hostname });
    },
  };
}

const auditMessage = /^\[mws-audit\]\[(\w+)\] \[([^\]]*)\] \[([^\]]*)\] (.*)$/s;

export const juniperAudit = juniper((rest) => {
  const match = auditMessage.exec(rest);
  if (match === null) return undefined;
  const [, log_level, who = '', login_ip, message] = match;
  return { log_level, login_ip, message, ...(/^[0-9a-f]{32}$/i.test(who) ? { api_key: who } : { username: who }) };
});

const packetFlags = ['RST', 'SYN', 'DF'];

export const juniperFirewall = juniper((rest) => {
  const pairs = [...keyValues(rest)];
  if (!pairs.some(([key]) => key === 'SRC') || !pairs.some(([key]) => key === 'PROTO')) return undefined;
  const event: Event = Object.create(null);
  for (const [key, value] of pairs) if (value !== '') event[key] = value;
  const words = new Set(rest.split(/\s+/));
  for (const flag of packetFlags) event[flag] = words.has(flag);
  const title = rest
    .slice(0, rest.search(/\b[A-Z]+=/))
    .replace(/^kernel: */, '')
    .trim();
  if (title !== '') event['event'] = title;
  return event;
});
