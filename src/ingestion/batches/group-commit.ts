type Group<Item> = { readonly items: Item[]; bytes: number; readonly timer: NodeJS.Timeout };

type Options<Item> = {
  readonly windowMs: number;
  readonly bytesMax: number;
  /** Must not reject: it answers each item itself. */
  readonly write: (items: readonly Item[]) => Promise<void>;
};

/** Collects items of one key for a short time or up to a size, then writes them together. */
export function createGroups<Item>({ windowMs, bytesMax, write }: Options<Item>) {
  const groups = new Map<string, Group<Item>>();
  const writing = new Set<Promise<void>>();
  let closed = false;

  const start = (items: readonly Item[]): void => {
    const task: Promise<void> = write(items).finally(() => writing.delete(task));
    writing.add(task);
  };
  const flush = (key: string): void => {
    const group = groups.get(key);
    if (group === undefined) return;
    groups.delete(key);
    clearTimeout(group.timer);
    start(group.items);
  };
  return {
    join(key: string, item: Item, bytes: number): void {
      const group = groups.get(key) ?? { items: [], bytes: 0, timer: setTimeout(() => flush(key), windowMs) };
      groups.set(key, group);
      group.items.push(item);
      group.bytes += bytes;
      if (group.bytes >= bytesMax) flush(key);
    },
    writeAlone: (item: Item): void => start([item]),
    isClosed: () => closed,
    async close(): Promise<void> {
      closed = true;
      for (const key of groups.keys()) flush(key);
      await Promise.all(writing);
    },
  };
}
