import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { DomainError } from '#platform/errors';
import { checkedKey, type ObjectStore } from './object-store.ts';

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates the folder and syncs every new link on the way, so that the path itself survives a power loss. */
async function makeDurableDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let current = directory; current.length >= path.dirname(first).length; current = path.dirname(current)) {
    await syncDirectory(current);
    if (current === path.dirname(current)) break;
  }
}

async function* walk(directory: string): AsyncGenerator<string> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  });
  // A folder's keys go on with a slash: compared with it, the walk visits keys in their own order.
  const placeOf = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);
  for (const entry of entries.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1))) {
    const full = path.join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(full);
    else if (!entry.name.startsWith('.')) yield full;
  }
}

/** Writes the bytes, synced, beside the file they are meant for, and returns the path. */
async function writeTemporary(file: string, bytes: Uint8Array): Promise<string> {
  const directory = path.dirname(file);
  await makeDurableDirectory(directory);
  const temporary = path.join(directory, `.${randomUUID()}`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Objects as files under `root`. A put writes a temporary file, syncs it, renames it and syncs the folder. */
export function createLocalObjectStore(root: string): ObjectStore {
  const fileOf = (key: string): string => path.resolve(root, checkedKey(key));
  return {
    async put(key, bytes) {
      const file = fileOf(key);
      await rename(await writeTemporary(file, bytes), file);
      await syncDirectory(path.dirname(file));
    },
    async putNew(key, bytes) {
      const file = fileOf(key);
      const temporary = await writeTemporary(file, bytes);
      try {
        // Linking fails when the name is taken, and the name appears with all its bytes.
        await link(temporary, file);
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
        // Whoever was first may have died before this.
        await syncDirectory(path.dirname(file));
        return false;
      } finally {
        await rm(temporary, { force: true });
      }
      await syncDirectory(path.dirname(file));
      return true;
    },
    async get(key) {
      return readFile(fileOf(key)).catch((error: unknown) => {
        if (!hasCode(error, 'ENOENT')) throw error;
        throw new DomainError('not_found', { publicMessage: 'The stored object is gone.', detail: { key } });
      });
    },
    async delete(key) {
      await rm(fileOf(key), { force: true });
    },
    async list(prefix, options) {
      const found: string[] = [];
      const folder = prefix.endsWith('/') ? prefix : path.posix.dirname(prefix);
      for await (const file of walk(path.join(root, folder))) {
        const key = path.relative(root, file).split(path.sep).join('/');
        if (!key.startsWith(prefix) || (options?.startAfter !== undefined && key <= options.startAfter)) continue;
        found.push(key);
        if (found.length >= (options?.limit ?? 1000)) break;
      }
      return found;
    },
  };
}
