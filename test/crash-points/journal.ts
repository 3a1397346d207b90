import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Is told what became durable, and who in the product waited for it. */
export type StepObserver = (what: string, who?: string) => void;

const orderOf = (folder: string, step: string): string =>
  path.join(folder, createHash('sha256').update(step).digest('hex'));
const doneOf = (folder: string, step: string): string => `${orderOf(folder, step)}.done`;

/** Every durable step that happened, one a line. */
export const journalOf = (folder: string): string => path.join(folder, 'journal');

/** The steps so far, in order. */
export function readJournal(folder: string): readonly string[] {
  return readFileSync(journalOf(folder), 'utf8').split('\n').slice(0, -1);
}

/** Forgets what happened, and orders that whoever takes one of these steps next stops after it. */
export function orderStops(folder: string, steps: readonly string[]): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(journalOf(folder), '');
  for (const step of steps) writeFileSync(orderOf(folder, step), '');
}

/** Whether the caller shall stop now. True once for each order, however many processes take the step. */
export function isToStop(folder: string, step: string): boolean {
  if (!existsSync(orderOf(folder, step))) return false;
  try {
    renameSync(orderOf(folder, step), doneOf(folder, step));
    return true;
  } catch {
    return false;
  }
}

/** Whether a process has stopped after the step. */
export const hasStopped = (folder: string, step: string): boolean => existsSync(doneOf(folder, step));
