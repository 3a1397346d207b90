import { DomainError } from '#platform/errors';
import type { ObjectStore } from '#platform/objects';

/** What is on the disk for good, and what only the machine's memory holds yet. */
export class Disk {
  readonly synced = new Map<string, Buffer>();
  readonly unsynced = new Map<string, Buffer>();

  read(key: string): Buffer | undefined {
    return this.unsynced.get(key) ?? this.synced.get(key);
  }

  sync(key: string): void {
    const bytes = this.unsynced.get(key);
    if (bytes !== undefined) this.synced.set(key, bytes);
    this.unsynced.delete(key);
  }

  /** What a loss of power takes. */
  loseUnsynced(): void {
    this.unsynced.clear();
  }
}

type Step = (what: string) => Promise<void>;

/** The product's `ObjectStore` over a simulated disk. Every write passes through memory before it is synced. */
export function createModelObjects(disk: Disk, step: Step): ObjectStore {
  const finish = async (key: string): Promise<void> => {
    await step(`sync ${key}`);
    disk.sync(key);
    await step('synced');
  };
  return {
    async put(key, bytes) {
      await step(`put ${key}`);
      disk.unsynced.set(key, Buffer.from(bytes));
      await finish(key);
    },
    async putNew(key, bytes) {
      await step(`putNew ${key}`);
      const isNew = disk.read(key) === undefined;
      if (isNew) disk.unsynced.set(key, Buffer.from(bytes));
      await finish(key);
      return isNew;
    },
    async get(key) {
      await step(`get ${key}`);
      const bytes = disk.read(key);
      if (bytes === undefined)
        throw new DomainError('not_found', { publicMessage: 'The stored object is gone.', detail: { key } });
      return bytes;
    },
    async delete(key) {
      await step(`delete ${key}`);
      disk.unsynced.delete(key);
      disk.synced.delete(key);
    },
    async list(prefix, options) {
      await step(`list ${prefix}`);
      return [...new Set([...disk.synced.keys(), ...disk.unsynced.keys()])]
        .filter((key) => key.startsWith(prefix) && (options?.startAfter === undefined || key > options.startAfter))
        .toSorted()
        .slice(0, options?.limit ?? 1000);
    },
  };
}
