import type { Settings } from '#platform/config';
import type { MasterKeyTexts } from '#platform/secrets';
import { type LocalSecrets, StartError } from '../data-folder.ts';

/**
 * The master keys of a deployment: the configured one comes before that of the data folder, which then still opens what
 * it wrapped. Throws StartError when there is none.
 */
export function masterKeysOf(
  settings: Settings,
  secrets: Pick<LocalSecrets, 'masterKey' | 'previousMasterKeys'>,
): MasterKeyTexts {
  const current = settings.MARGAY_MASTER_KEY ?? secrets.masterKey;
  if (current === undefined)
    throw new StartError(
      'The master key is neither in MARGAY_MASTER_KEY nor in the data folder. Set MARGAY_MASTER_KEY to the key this deployment was using.',
    );
  const earlier = [
    ...settings.MARGAY_PREVIOUS_MASTER_KEYS,
    ...(secrets.previousMasterKeys ?? []),
    ...(secrets.masterKey === undefined ? [] : [secrets.masterKey]),
  ];
  return { current, previous: [...new Set(earlier)].filter((key) => key !== current) };
}
