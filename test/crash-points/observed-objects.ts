import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import type { StepObserver } from './journal.ts';

const objectsFolder = `${path.sep}objects${path.sep}`;

/** The kind of an object: what is different in every run is left out. */
function kindOf(file: unknown): string | undefined {
  if (typeof file !== 'string' || !file.includes(objectsFolder)) return undefined;
  const key = file
    .slice(file.indexOf(objectsFolder) + objectsFolder.length)
    .split(path.sep)
    .join('/');
  if (path.posix.basename(key).startsWith('.')) return undefined;
  return key.replaceAll(/[\da-f]{8}-[\da-f-]{27}|[\da-z]{16,}-[\da-f]{16,}|[\da-f]{32}|\d{4}-\d\d-\d\d/g, '*');
}

/** Tells of every object that lies under its name, and of every one that is deleted. */
export function observeObjects(happened: StepObserver, whoWaits: () => string | undefined): void {
  const { rename, link, rm } = files;
  const told = (verb: string, file: unknown, work: Promise<void>): Promise<void> => {
    const [kind, who] = [kindOf(file), whoWaits()];
    return kind === undefined ? work : work.then(() => happened(`${verb} the object ${kind}`, who));
  };
  Object.assign(files, {
    rename: (from: string, to: string) => told('stores', to, rename(from, to)),
    link: (from: string, to: string) => told('stores', to, link(from, to)),
    rm: (file: string, options: object) => told('deletes', file, rm(file, options)),
  });
  syncBuiltinESMExports();
}
