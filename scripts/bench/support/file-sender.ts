/**
 * `node file-sender.ts <folder> <url> <atOnce>`: posts each file of the folder once, a number at a time, waiting as a
 * refusal asks. Prints how many were refused on the way.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder = '', url = '', atOnce = '4'] = process.argv.slice(2);
const files = readdirSync(folder).toSorted();
let refusals = 0;

async function send(file: string): Promise<void> {
  const body = readFileSync(path.join(folder, file));
  for (;;) {
    const response = await fetch(url, { method: 'POST', body });
    await response.arrayBuffer();
    if (response.status === 202) return;
    if (response.status !== 429 && response.status !== 503) throw new Error(`The answer was ${response.status}.`);
    refusals += 1;
    await sleep(1000 * Number(response.headers.get('retry-after') ?? 1));
  }
}

const lane = async (): Promise<void> => {
  for (let file = files.shift(); file !== undefined; file = files.shift()) await send(file);
};
await Promise.all(Array.from({ length: Number(atOnce) }, lane));
process.stdout.write(`${JSON.stringify({ refusals })}\n`);
