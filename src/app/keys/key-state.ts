import type { Settings } from '#platform/config';
import { DomainError } from '#platform/errors';
import type { Database } from '#platform/postgres';
import { countKeys, createMasterKeys, type MasterKeys } from '#platform/secrets';
import { readSecrets } from '../data-folder.ts';
import { masterKeysOf } from './master-key-source.ts';

/** What operators should know of the keys, in one sentence. Throws when a tenant's key cannot be opened. */
export async function describeKeys(database: Database, masterKeys: MasterKeys): Promise<string> {
  const { total, previous, unopened } = await countKeys(database, masterKeys);
  const name = `master key ${masterKeys.currentId}`;
  if (unopened > 0)
    throw new DomainError('unavailable', {
      publicMessage: `The ${name} and the previous ones do not open ${unopened} of ${total} tenants’ keys. Set MARGAY_MASTER_KEY or MARGAY_PREVIOUS_MASTER_KEYS to the key they were wrapped with.`,
    });
  if (previous > 0)
    return `${name}; ${previous} of ${total} tenants’ keys are wrapped by an earlier one: run "margay keys rotate"`;
  return `${name} wraps the keys of all ${total} tenants`;
}

/** Where the master key comes from, for who sets a deployment up. Says so when the configured keys and the folder disagree. */
export async function describeKeySource(settings: Settings, dataDir: string): Promise<string> {
  const secrets = await readSecrets(dataDir);
  if (settings.MARGAY_MASTER_KEY === undefined && secrets === undefined)
    return 'a master key will be made in the data folder at the first start';
  const texts = masterKeysOf(settings, secrets ?? {});
  const { currentId } = createMasterKeys(texts);
  const source =
    settings.MARGAY_MASTER_KEY === undefined
      ? 'in secrets.json of the data folder, back it up apart'
      : 'from MARGAY_MASTER_KEY';
  const earlier = texts.previous.length === 0 ? '' : `; ${texts.previous.length} earlier still open`;
  return `master key ${currentId} ${source}${earlier}`;
}
