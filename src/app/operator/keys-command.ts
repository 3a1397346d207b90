import { randomBytes } from 'node:crypto';
import type { Command } from '#cli';
import { createLog } from '#platform/log';
import { openDatabase } from '#platform/postgres';
import { createMasterKeys, rewrapKeys } from '#platform/secrets';
import { StartError, writeSecrets } from '../data-folder.ts';
import { describeKeys } from '../keys/key-state.ts';
import { masterKeysOf } from '../keys/master-key-source.ts';
import { openOperatorStores, type OperatorStores } from './operator-stores.ts';

type Say = (line: string) => void;

async function withDatabase<T>(
  stores: OperatorStores,
  work: (database: ReturnType<typeof openDatabase>) => Promise<T>,
): Promise<T> {
  const log = createLog({ level: stores.runtime.settings.MARGAY_LOG_LEVEL, role: 'operator' });
  const database = openDatabase({ url: stores.runtime.databaseUrl, connectionsMax: 2, log });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/**
 * Re-wraps every data key. Without MARGAY_MASTER_KEY a new key is made in the data folder first, with the old one kept
 * beside it until all data keys are re-wrapped; a crash at any point leaves keys that open.
 */
async function rotate(stores: OperatorStores, say: Say): Promise<void> {
  const { runtime, secrets } = stores;
  const isOurs = runtime.settings.MARGAY_MASTER_KEY === undefined;
  let kept = secrets;
  if (isOurs) {
    const old = [
      ...(secrets.previousMasterKeys ?? []),
      ...(secrets.masterKey === undefined ? [] : [secrets.masterKey]),
    ];
    kept = { ...secrets, masterKey: randomBytes(32).toString('base64'), previousMasterKeys: old };
    await writeSecrets(runtime.dataDir, kept);
  }
  const masterKeys = createMasterKeys(masterKeysOf(runtime.settings, kept));
  const count = await withDatabase(stores, (database) => rewrapKeys(database, masterKeys));
  const { previousMasterKeys: _previous, masterKey, ...rest } = kept;
  await writeSecrets(runtime.dataDir, isOurs && masterKey !== undefined ? { ...rest, masterKey } : rest);
  say(
    `Wrapped ${count} tenants’ keys with the master key ${masterKeys.currentId}. Nothing else had to be encrypted anew.`,
  );
  say(
    isOurs
      ? 'The new key is in secrets.json of the data folder: back it up apart, and keep the old one as long as your backups.'
      : 'MARGAY_PREVIOUS_MASTER_KEYS may be emptied now; keep the old key as long as your backups.',
  );
}

/** `margay keys`: how tenants' keys are wrapped, and wrapping them with another master key. */
export const keysCommand: Command = {
  name: 'keys',
  usage: [
    ['keys status', 'which master key wraps the tenants’ data keys'],
    ['keys rotate', 'wrap all data keys with a new master key'],
  ],
  async run(args, { environment, say }) {
    const [action, ...more] = args;
    if ((action !== 'status' && action !== 'rotate') || more.length > 0)
      throw new StartError('Usage: margay keys status|rotate');
    // Running processes hold the keys they were started with; those of the data folder would not be theirs any more.
    const besideRunning = action === 'status' || environment['MARGAY_MASTER_KEY'] !== undefined;
    const stores = await openOperatorStores({ environment, besideRunning });
    try {
      if (action === 'rotate') await rotate(stores, say);
      else
        say(
          await withDatabase(stores, (database) => describeKeys(database, createMasterKeys(stores.runtime.masterKeys))),
        );
    } finally {
      await stores.close();
    }
    return 0;
  },
};
