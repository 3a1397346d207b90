/**
 * Loaded into every process of a deployment before the product: the first worker is an hour ahead, the second and the
 * scheduler are an hour behind.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';

const hourMs = 3_600_000;

function isFirst(role: string): boolean {
  try {
    mkdirSync(path.join(process.env['CRASH_POINTS_FOLDER'] ?? '', '..', `first-${role}`));
    return true;
  } catch {
    return false;
  }
}

function shiftClock(byMs: number): void {
  const now = Date.now.bind(Date);
  const shifted: typeof Date = new Proxy(Date, {
    construct: (target, args, wanted) =>
      Reflect.construct(
        target,
        args.length === 0 ? [now() + byMs] : args,
        wanted === shifted ? target : wanted,
      ) as Date,
    get: (target, key) => (key === 'now' ? () => now() + byMs : (Reflect.get(target, key) as unknown)),
  });
  globalThis.Date = shifted;
}

const role = process.argv[2] ?? '';
const isRole = process.argv[1]?.endsWith(path.join('app', 'roles', 'main.ts')) === true;
if (isRole && role === 'worker') shiftClock(isFirst(role) ? hourMs : -hourMs);
if (isRole && role === 'scheduler') shiftClock(-hourMs);
