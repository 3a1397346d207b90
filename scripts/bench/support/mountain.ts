/**
 * `node mountain.ts <url> <events> <batches>`: sends so many events in so many requests of mixed size, four at a time.
 * A process of its own and of lowest priority: whoever measures single events meanwhile shares neither an event loop
 * nor, when it matters, a processor with it. Prints how many events were acknowledged.
 */
import { setPriority } from 'node:os';
import { createRandom } from '../../chaos/random.ts';
import { eventText, post } from './probes.ts';

setPriority(19);

/** Sizes between a tenth and twice of the mean, the same for the same seed. */
function batchSizes(events: number, batches: number): readonly number[] {
  const random = createRandom(7);
  const weights = Array.from({ length: batches }, () => 0.1 + 1.9 * random());
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => Math.max(1, Math.round((events * weight) / sum)));
}

const [url = '', events = '0', batches = '0'] = process.argv.slice(2);
const sizes = batchSizes(Number(events), Number(batches));
let next = 0;
let acknowledged = 0;

async function lane(): Promise<void> {
  for (let index = next++; index < sizes.length; index = next++) {
    const size = sizes[index] ?? 0;
    const lines = Array.from({ length: size }, (_, line) => eventText(`m-${index}-${line}`, 'none', false));
    await post(url, lines.join(''), `mountain-${index}`);
    acknowledged += size;
  }
}

await Promise.all(Array.from({ length: 4 }, lane));
process.stdout.write(`${JSON.stringify({ acknowledged })}\n`);
