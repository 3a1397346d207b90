import { gunzipSync } from 'node:zlib';
import { createRandom } from '../../chaos/random.ts';
import { trailBodies } from './cloudtrail.ts';

/** Records of one log type, as the sandbox takes them. */
export type Block = { readonly logType: string; readonly count: number; readonly records: Buffer };

const blockEvents = 1000;

/** CloudTrail records whose ids, addresses, keys and times do not repeat. */
export function cloudTrailBlocks(seed: number, events: number): readonly Block[] {
  const blocks: Block[] = [];
  const bodies = trailBodies(seed, blockEvents);
  for (let made = 0; made < events; made += blockEvents) {
    const { Records: records } = JSON.parse(gunzipSync(bodies.next().value.gzip).toString()) as { Records: unknown[] };
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    blocks.push({ logType: 'AWS.CloudTrail', count: lines.length, records: Buffer.from(lines.join('')) });
  }
  return blocks;
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

/** Events of all log types, in turn as they come in a mixed stream: each block holds one log type's share of a batch. */
export function mixedBlocks(
  eventsByLogType: ReadonlyMap<string, readonly string[]>,
  seed: number,
  events: number,
): readonly Block[] {
  const random = createRandom(seed);
  const total = [...eventsByLogType.values()].reduce((sum, list) => sum + list.length, 0);
  const rounds = Math.ceil(events / Math.max(1, total));
  return [...eventsByLogType].map(([logType, list]) => {
    const lines: string[] = [];
    for (let round = 0; round < rounds; round++) for (const text of list) lines.push(`${freshened(text, random)}\n`);
    return { logType, count: lines.length, records: Buffer.from(lines.join('')) };
  });
}
