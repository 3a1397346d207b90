import { createOperatorAudit, type Operator } from '#audit';
import { jobDefinitions } from '#jobs';
import { openLakeMoment, type LakeMoment } from '#lake';
import { DomainError } from '#platform/errors';
import { createJobs, type QueuedJob } from '#platform/jobs';
import { type Dump, listApplied, openDump, pause } from '#platform/postgres';
import { sealWithPassphrase } from '#platform/secrets';
import type { OperatorStores } from '../operator/operator-stores.ts';
import { openPlatform, type Platform } from '../parts.ts';
import { productVersion } from '../runtime.ts';
import { type Manifest, setFormat } from './backup-manifest.ts';
import { namedLakeTables, namedObjects } from './named-objects-store.ts';
import { createSetWriter, type SetWriter } from './set-writer.ts';

type Options = {
  readonly stores: OperatorStores;
  readonly operator: Operator;
  readonly to: string;
  /** Seals the master keys in the set. */
  readonly passphrase: string | undefined;
  readonly say: (line: string) => void;
};

type Moment = {
  readonly dump: Dump;
  readonly lake: LakeMoment;
  readonly jobs: readonly QueuedJob[];
  close(): Promise<void>;
};

const objectsAtOnce = 8;

/**
 * One moment of all stores. Loads and the outbox rest meanwhile, for as long as the lake needs to finish what was begun
 * and to make its clones; nothing that the moment names is deleted before it is closed. Intake, detections and delivery go on.
 */
async function takeMoment({ stores, say }: Options, platform: Platform): Promise<Moment> {
  const { databaseUrl, settings } = stores.runtime;
  const redis = settings.REDIS_URL === undefined ? {} : { redisUrl: settings.REDIS_URL };
  const startedAt = performance.now();
  const held = await pause(databaseUrl, ['outbox', 'loads', 'deletions']);
  const queues = createJobs({ databaseUrl, log: platform.log, ...redis });
  const open: { close(): Promise<void> }[] = [held];
  const close = async (): Promise<void> => {
    for (const part of open.toReversed()) await part.close();
  };
  try {
    await platform.lake.loader.finishTried();
    // Before the moment: a job that ends in between has its effect in the moment as well.
    const jobs = await queues.listFromOutbox(jobDefinitions);
    const dump = await openDump(databaseUrl);
    open.push(dump);
    const lake = await openLakeMoment(platform.lakeClient, await namedLakeTables(dump));
    open.push(lake);
    await held.release('outbox');
    await held.release('loads');
    say(`Took the moment; loads rested for ${Math.round(performance.now() - startedAt)} ms.`);
    return { dump, lake, jobs, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    await queues.close();
  }
}

async function writeTables(set: SetWriter, { dump }: Moment): Promise<Manifest['tables']> {
  const tables: Manifest['tables'] = [];
  for (const table of dump.tables) {
    let rows = 0;
    const lines = async function* () {
      for await (const some of dump.rows(table)) {
        rows += some.length;
        yield Buffer.from(some.map((row) => `${JSON.stringify(row)}\n`).join(''));
      }
    };
    const file = `postgres/${table.name}.ndjson.zst`;
    await set.write(file, lines());
    tables.push({ ...table, columns: [...table.columns], rows, file });
  }
  return tables;
}

async function writeLake(set: SetWriter, { lake }: Moment): Promise<Manifest['lake']> {
  const tables: Manifest['lake'] = [];
  for (const [index, table] of lake.tables.entries()) {
    const files: string[] = [];
    for await (const bytes of lake.partitions(table)) {
      const file = `lake/${index}-${files.length}.native.zst`;
      await set.write(file, bytes);
      files.push(file);
    }
    tables.push({ ...table, files });
  }
  return tables;
}

async function copyObject(set: SetWriter, { storedObjects }: Platform, key: string) {
  try {
    const entry = await set.write(`objects/${key}`, await storedObjects.get(key));
    return { key, ...entry };
  } catch (error) {
    if (error instanceof DomainError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** Objects as they lie there, encrypted. One that is missing was missing before; it is told, and the backup goes on. */
async function writeObjects(
  set: SetWriter,
  platform: Platform,
  { dump }: Moment,
  say: Options['say'],
): Promise<Manifest['objects']> {
  let [count, total, missing] = [0, 0, 0];
  const lines = async function* () {
    for await (const keys of namedObjects(dump))
      for (let start = 0; start < keys.length; start += objectsAtOnce) {
        const some = keys.slice(start, start + objectsAtOnce);
        const copied = await Promise.all(some.map((key) => copyObject(set, platform, key)));
        const found = copied.filter((entry) => entry !== undefined);
        missing += copied.length - found.length;
        count += found.length;
        total += found.reduce((sum, { bytes }) => sum + bytes, 0);
        yield Buffer.from(found.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      }
  };
  const index = 'objects.ndjson.zst';
  await set.write(index, lines());
  if (missing > 0) say(`${missing} objects that rows name are not in the store; the set is made without them.`);
  return { count, bytes: total, index };
}

async function writeKeys(
  set: SetWriter,
  { stores, passphrase }: Options,
  masterKeyId: string,
): Promise<Manifest['keys']> {
  const { masterKeys, settings } = stores.runtime;
  const isSealed = passphrase !== undefined;
  // A key that the operator keeps elsewhere goes into a set only under a passphrase.
  if (settings.MARGAY_MASTER_KEY !== undefined && !isSealed) return { masterKeyId, file: null, isSealed };
  const text = JSON.stringify({ masterKey: masterKeys.current, previousMasterKeys: masterKeys.previous });
  const file = isSealed ? 'keys.sealed' : 'keys.json';
  await set.write(file, isSealed ? await sealWithPassphrase(passphrase, text) : Buffer.from(text));
  return { masterKeyId, file, isSealed };
}

/** Makes a backup set of the deployment as it is at one moment, while it works. */
export async function takeBackup(options: Options): Promise<void> {
  const { stores, operator, to, say } = options;
  const platform = openPlatform(stores.runtime);
  try {
    const set = await createSetWriter(to);
    const migrations = [...(await listApplied(stores.ownerUrl))];
    const moment = await takeMoment(options, platform);
    try {
      const createdAt = new Date().toISOString();
      const tables = await writeTables(set, moment);
      const objects = await writeObjects(set, platform, moment, say);
      const lake = await writeLake(set, moment);
      const jobs = 'jobs.ndjson.zst';
      await set.write(jobs, Buffer.from(moment.jobs.map((job) => `${JSON.stringify(job)}\n`).join('')));
      const keys = await writeKeys(set, options, platform.masterKeys.currentId);
      const base = { product: 'margay', format: setFormat, version: productVersion, createdAt } as const;
      const sequences = [...moment.dump.sequences];
      await set.finish({ ...base, migrations, tables, sequences, jobs, lake, objects, keys });
      await platform.database.withSystem('an operator made a backup', (tx) =>
        createOperatorAudit(platform).record(tx, operator, 'TAKE_BACKUP', { createdAt, objects: objects.count }),
      );
    } finally {
      await moment.close();
    }
  } finally {
    await platform.close();
  }
}
