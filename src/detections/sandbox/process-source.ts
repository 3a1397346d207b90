import { access, open, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { DomainError } from '#platform/errors';
import type { Walls } from '#platform/walls';
import { genericSnapshotOf } from './host/bundle.ts';
import type { PoolStatus } from './sandbox-contract.ts';
import { SandboxFailure, type SandboxImage, SandboxProcess } from './sandbox-process.ts';

/** Where interpreters come from. */
export type ProcessSource = {
  /** A process that has seen no tenant, or goes on from the snapshot of one. */
  take(image?: SandboxImage): Promise<SandboxProcess>;
  /** Processes that wait, and how many were started which way. */
  status(): Pick<PoolStatus, 'spare' | 'startsCold' | 'startsGeneric' | 'startsSnapshot'>;
  close(): void;
};

/** Lets so many run at once, the others in order of arrival. */
function createGate(permits: number) {
  const waiting: (() => void)[] = [];
  let free = permits;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** No tenant's rule was near it: this machine is short of something, and the work waits for better times. */
function refuse(cause: unknown): never {
  throw new DomainError('unavailable', {
    publicMessage: 'No interpreter could be started for detections. Try again in a moment.',
    retryable: true,
    retryAfterSeconds: 5,
    cause,
  });
}

/** Writes the snapshot every interpreter of this build starts from; of several that do so at once any one stays. */
async function makeGeneric(process: SandboxProcess, file: string): Promise<boolean> {
  const temporary = `${file}.${process.pid ?? 0}`;
  try {
    const handle = await open(temporary, 'wx', 0o644);
    try {
      await handle.writeFile(await process.snapshot());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    return true;
  } catch {
    // A disk without room, say: interpreters start cold then, which is slow and right.
    await rm(temporary, { force: true });
    return false;
  }
}

/** One process that waits, its program read. */
function createSpare(make: () => SandboxProcess) {
  let spare: SandboxProcess | undefined;
  return {
    refill(): void {
      if (!spare?.isAlive) spare = make();
    },
    /** The one that waits, or a new one. */
    next(): SandboxProcess {
      const taken = spare?.isAlive ? spare : make();
      spare = undefined;
      return taken;
    },
    count: () => (spare?.isAlive === true ? 1 : 0),
    kill: () => spare?.kill(),
  };
}

async function startAs(taken: SandboxProcess, image: SandboxImage | undefined, generic: SandboxImage): Promise<void> {
  await taken.ready.catch(refuse);
  // Of a tenant's snapshot the tenant's sandbox makes what it makes; the generic one is nobody's fault.
  await (image ? taken.start(image) : taken.start(generic).catch(refuse));
}

const startsOf = ({ cold, generic, snapshot }: Readonly<Record<SandboxImage['kind'], number>>) => ({
  startsCold: cold,
  startsGeneric: generic,
  startsSnapshot: snapshot,
});

/**
 * Keeps one process waiting, its program read, and makes the generic snapshot (engine and libraries, no
 * tenant) where the bundle came without. Starting costs a core, so only one start per core is under way.
 */
export function createProcessSource(walls: Walls, bundle: string): ProcessSource {
  const gate = createGate(availableParallelism());
  const file = genericSnapshotOf(bundle);
  const spare = createSpare(() => new SandboxProcess(walls, bundle));
  const { next } = spare;
  let isClosed = false;
  const starts = { cold: 0, generic: 0, snapshot: 0 };
  const refill = (): void => {
    if (!isClosed) spare.refill();
  };
  /** The process that made the snapshot, for the first who wants one; whether there is a snapshot. */
  const first = gate(async () => {
    if (await exists(file)) return { process: undefined, hasGeneric: true };
    const process = next();
    await process.start({ kind: 'cold' });
    starts.cold += 1;
    return { process, hasGeneric: await makeGeneric(process, file) };
  });
  let unused: Promise<SandboxProcess | undefined> | undefined = first.then(
    ({ process }) => process,
    () => undefined,
  );
  const isGeneric = first.then(
    ({ hasGeneric }) => hasGeneric,
    () => false,
  );
  void isGeneric.then(refill);
  return {
    async take(image) {
      if (isClosed) throw new SandboxFailure('crash', 'The pool of sandboxes is closed.', undefined);
      const made = unused;
      if (image === undefined) unused = undefined;
      const ready = image === undefined ? await made : undefined;
      if (ready?.isAlive) return ready;
      const generic: SandboxImage = (await isGeneric) ? { kind: 'generic' } : { kind: 'cold' };
      return gate(async () => {
        const taken = next();
        try {
          await startAs(taken, image, generic);
          starts[(image ?? generic).kind] += 1;
        } catch (error) {
          taken.kill();
          throw error;
        } finally {
          refill();
        }
        return taken;
      });
    },
    status: () => ({ spare: spare.count(), ...startsOf(starts) }),
    close() {
      isClosed = true;
      spare.kill();
      void unused?.then((process) => process?.kill());
    },
  };
}
