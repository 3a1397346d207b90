import { gunzipSync } from 'node:zlib';
import { createRandom } from '../../chaos/random.ts';
import { trailBodies } from './cloudtrail.ts';

/** Records of one log type, as the sandbox takes them. */
export type Block = { readonly logType: string; readonly count: number; readonly records: Buffer };

/** CloudTrail records of one block. */
export const blockEvents = 1000;

const sometime = Date.UTC(2026, 0, 1);

/** CloudTrail records whose ids, addresses, keys and times do not repeat. The same seed gives the same blocks. */
export function* cloudTrailBlocks(seed: number, events: number): Generator<Block> {
  const bodies = trailBodies(seed, blockEvents, () => sometime);
  for (let made = 0; made < events; made += blockEvents) {
    const { Records: records } = JSON.parse(gunzipSync(bodies.next().value.gzip).toString()) as { Records: unknown[] };
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    yield { logType: 'AWS.CloudTrail', count: lines.length, records: Buffer.from(lines.join('')) };
  }
}

const hex = (length: number, random: () => number): string =>
  Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
const volatile = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d/g;

function freshened(text: string, random: () => number): string {
  return text.replaceAll(volatile, (found) => {
    const sizes = found.startsWith('20') && found.length === 19 ? undefined : [8, 4, 4, 4, 12];
    if (sizes !== undefined) return sizes.map((size) => hex(size, random)).join('-');
    return new Date(1.7e12 + Math.floor(random() * 1e10)).toISOString().slice(0, 19);
  });
}

/** Lines per log type in one block of a mixed stream, about what a minute's object of a quiet source holds. */
const mixedBlockEvents = 200;

/**
 * Events of all log types, in turn as they come in a mixed stream: round after round one block per log type. Gives the
 * blocks of one round after another until there are enough events.
 */
export function* mixedBlocks(
  eventsByLogType: ReadonlyMap<string, readonly string[]>,
  seed: number,
  events: number,
): Generator<Block> {
  const random = createRandom(seed);
  for (let made = 0; made < events && eventsByLogType.size > 0;)
    for (const [logType, list] of eventsByLogType) {
      const lines = Array.from({ length: mixedBlockEvents }, () => {
        const text = list[Math.floor(random() * list.length)] ?? '{}';
        return `${freshened(text, random)}\n`;
      });
      made += lines.length;
      yield { logType, count: lines.length, records: Buffer.from(lines.join('')) };
    }
}
