import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Command } from '#cli';
import { readBackupPassphrase } from '#platform/config';
import { restoreBackup } from '../backup/restore-backup.ts';
import { takeBackup } from '../backup/take-backup.ts';
import { StartError } from '../data-folder.ts';
import { openOperatorStores } from './operator-stores.ts';
import { thisOperator } from './this-operator.ts';

/** `margay backup`: Postgres, lake, objects and keys as one set, while the deployment works. */
export const backupCommand: Command = {
  name: 'backup',
  usage: [['backup --to <folder>', 'copy everything as it is at one moment, also while running']],
  async run(args, { environment, say }) {
    const { values } = parseArgs({ args: [...args], options: { to: { type: 'string' } } });
    if (values.to === undefined) throw new StartError('Usage: margay backup --to <folder>');
    const passphrase = readBackupPassphrase(environment);
    const startedAt = performance.now();
    const stores = await openOperatorStores({ environment, besideRunning: true });
    try {
      await takeBackup({ stores, operator: thisOperator(), to: path.resolve(values.to), passphrase, say });
    } finally {
      await stores.close();
    }
    say(`Backup in ${path.resolve(values.to)}, made in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
    if (passphrase === undefined)
      say('Its master keys are not sealed: keep it where only you can read it, or set MARGAY_BACKUP_PASSPHRASE.');
    return 0;
  },
};

/** `margay restore`: a set into an empty folder. */
export const restoreCommand: Command = {
  name: 'restore',
  usage: [['restore --from <folder> --data-dir <folder>', 'bring a backup back into an empty data folder']],
  async run(args, { environment, say }) {
    const { values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, 'data-dir': { type: 'string' } },
    });
    if (values.from === undefined || values['data-dir'] === undefined)
      throw new StartError('Usage: margay restore --from <folder> --data-dir <folder>');
    await restoreBackup({
      environment: { ...environment, MARGAY_DATA_DIR: values['data-dir'] },
      operator: thisOperator(),
      from: path.resolve(values.from),
      passphrase: readBackupPassphrase(environment),
      say,
    });
    say(`Restored. Start it: MARGAY_DATA_DIR=${path.resolve(values['data-dir'])} npm start`);
    return 0;
  },
};
