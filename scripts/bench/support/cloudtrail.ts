import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createRandom } from '../../chaos/random.ts';

const sharedFolder = process.env['MARGAY_SHARED_DIR'] ?? path.resolve(import.meta.dirname, '../../../../shared');
const folder = path.join(sharedFolder, 'data/cloudtrail/s3');

/** One body as CloudTrail writes it: `{"Records":[…]}`, gzip. */
export type TrailBody = { readonly gzip: Buffer; readonly rawBytes: number; readonly events: number };

/** The real records as text. Throws when the files are not there. */
function readTrail(): readonly string[] {
  if (!existsSync(folder)) throw new Error(`The CloudTrail files are not in ${folder}. Set MARGAY_SHARED_DIR.`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json.gz'))
    .flatMap((name) => {
      const file = JSON.parse(gunzipSync(readFileSync(path.join(folder, name))).toString()) as { Records: unknown[] };
      return file.Records.map((record) => JSON.stringify(record));
    });
}

/** Text over an alphabet whose pieces serve as new ids; long enough that no piece of one length comes twice in a run. */
function letterPool(alphabet: string, random: () => number): string {
  const letters: string[] = [];
  for (let index = 0; index < 1 << 20; index++) letters.push(alphabet[Math.floor(random() * alphabet.length)] ?? '');
  return letters.join('');
}

const volatile =
  /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=\b(?:AKIA|ASIA|AIDA|AROA))[A-Z2-7]{16}|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b(?:i|vpc|subnet|eni|sg|vol|snap)-[0-9a-f]{8,17}\b/g;

/**
 * Makes bodies without end whose ids, addresses, keys and times are all new, so that nothing repeats; the rest is as in
 * the real records. The same seed and clock (milliseconds) give the same bodies.
 */
export function* trailBodies(
  seed: number,
  eventsPerBody: number,
  now: () => number = Date.now,
): Generator<TrailBody, never> {
  const random = createRandom(seed);
  const records = readTrail();
  const [hex, upper] = [letterPool('0123456789abcdef', random), letterPool('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', random)];
  const piece = (pool: string, length: number): string => {
    const at = Math.floor(random() * (pool.length - length));
    return pool.slice(at, at + length);
  };
  const uuid = (): string => {
    const text = piece(hex, 32);
    return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
  };
  const octet = (): number => Math.floor(random() * 256);
  const replace = (text: string, now: number): string =>
    text.replaceAll(volatile, (found) => {
      if (found.length === 36) return uuid();
      if (found.startsWith('20'))
        return `${new Date(now - Math.floor(random() * 600_000)).toISOString().slice(0, 19)}Z`;
      if (/^[\d.]+$/.test(found)) return `10.${octet()}.${octet()}.${octet()}`;
      const dash = found.indexOf('-');
      if (dash > 0) return `${found.slice(0, dash + 1)}${piece(hex, found.length - dash - 1)}`;
      return piece(upper, found.length);
    });
  for (let next = 0; ;) {
    const at = now();
    const chosen: string[] = [];
    while (chosen.length < eventsPerBody) chosen.push(replace(records[next++ % records.length] ?? '{}', at));
    const raw = Buffer.from(`{"Records":[${chosen.join(',')}]}`);
    yield { gzip: gzipSync(raw, { level: 4 }), rawBytes: raw.length, events: chosen.length };
  }
}
