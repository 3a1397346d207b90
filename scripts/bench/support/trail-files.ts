/** `node trail-files.ts <folder> <megabytes> <seed>`: writes CloudTrail bodies of which none repeats, as numbered files. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { trailBodies } from './cloudtrail.ts';

const [folder = '', megabytes = '0', seed = '1'] = process.argv.slice(2);
const bodies = trailBodies(Number(seed), 500);
const sum = { rawBytes: 0, events: 0, files: 0 };
while (sum.rawBytes < Number(megabytes) * 1e6) {
  const { gzip, rawBytes, events } = bodies.next().value;
  writeFileSync(path.join(folder, String(sum.files).padStart(6, '0')), gzip);
  sum.rawBytes += rawBytes;
  sum.events += events;
  sum.files += 1;
}
process.stdout.write(`${JSON.stringify(sum)}\n`);
