/**
 * Loaded into every process of a deployment before the product (`node --import`). It stands below the product, where
 * the drivers are: each time something has become durable it writes the step's name into a journal, and ends the process
 * at once when it is told to stop after that step. The names are made of what was done and of the function that did it,
 * so a new step of the product is a new name here without anybody adding it.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { isToStop, journalOf } from './journal.ts';
import { observeDatabase } from './observed-database.ts';
import { observeObjects } from './observed-objects.ts';
import { observeRequests } from './observed-requests.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = process.env['CRASH_POINTS_FOLDER'];
const role = process.argv[2]?.replace(',', '+') ?? '';
const isRole = process.argv[1]?.endsWith(path.join('app', 'roles', 'main.ts')) === true;
const framePattern = /at (?:async )?(?:Object\.)?(?:(\S+) \()?(?:file:\/\/)?(\/[^:)]+):\d+:\d+\)?$/;

/** The function of the product that waits for this step: the first one above the parts without product words. */
function whoWaits(): string | undefined {
  for (const frame of (new Error('where').stack ?? '').split('\n')) {
    const [, name = 'a function', file = ''] = framePattern.exec(frame) ?? [];
    const place = path.relative(root, file);
    if (/^(?:src|jobs)\//.test(place) && !place.startsWith('src/platform/'))
      return `${name} of ${place.replace(/^src\//, '')}`;
  }
  return undefined;
}

if (isRole && folder !== undefined) {
  Error.stackTraceLimit = 50;
  const happened = (what: string, who?: string): void => {
    const step = `${role}: ${what}${who === undefined ? '' : ` (${who})`}`;
    appendFileSync(journalOf(folder), `${step}\n`);
    if (isToStop(folder, step)) process.kill(process.pid, 'SIGKILL');
  };
  observeDatabase(happened, whoWaits);
  observeObjects(happened, whoWaits);
  observeRequests(happened);
}
