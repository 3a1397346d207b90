import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Command } from '#cli';
import { DomainError } from '#platform/errors';
import { createJobs } from '#platform/jobs';
import { StartError } from '../data-folder.ts';
import { openErasures } from '../erasures.ts';
import { openPlatform, type Platform } from '../parts.ts';
import { openOperatorStores } from './operator-stores.ts';
import { thisOperator } from './this-operator.ts';

const usage = 'Usage: margay tenant list | margay tenant erase <slug> --confirm <slug>';
const pollMs = 3000;
type Say = (line: string) => void;

async function list({ database }: Platform, say: Say): Promise<void> {
  const rows = await database.withSystem('the operator lists all tenants', (tx) =>
    tx.query<{ slug: string; id: string; erasing_at: Date | null }>(
      'SELECT slug, id, erasing_at FROM tenants ORDER BY created_at',
    ),
  );
  for (const { slug, id, erasing_at: erasingAt } of rows)
    say(`${slug.padEnd(24)} ${id}${erasingAt === null ? '' : `  being erased since ${erasingAt.toISOString()}`}`);
}

async function erase(erasures: ReturnType<typeof openErasures>, slug: string, say: Say): Promise<void> {
  let erasure = await erasures.begin(thisOperator(), slug);
  say(`Tenant "${slug}" takes nothing in any more, and its key is destroyed: what is left of it cannot be read.`);
  erasure = await erasures.advance(erasure.tenantId);
  if (erasure.state === 'SETTLING') say('Its rows and objects are gone; looking once more in a minute …');
  while (erasure.state !== 'DONE') {
    await sleep(pollMs);
    erasure = await erasures.advance(erasure.tenantId);
  }
  const { rows = 0, objects = 0 } = erasure.deleted;
  say(`Erased: ${rows} rows and ${objects} objects. Backups made before still hold it until you delete them.`);
}

/** `margay tenant`: which tenants there are, and erasing one for good. */
export const tenantCommand: Command = {
  name: 'tenant',
  usage: [
    ['tenant list', 'tenants of this deployment'],
    ['tenant erase <slug> --confirm <slug>', 'delete a tenant and everything of it for good'],
  ],
  async run(args, { environment, say }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { confirm: { type: 'string' } },
    });
    const [action, slug, ...more] = positionals;
    const isErase = action === 'erase' && slug !== undefined;
    if (more.length > 0 || !(isErase || (action === 'list' && slug === undefined))) throw new StartError(usage);
    if (isErase && values.confirm !== slug)
      throw new StartError(`This deletes the tenant "${slug}" for good. If you mean it, add --confirm ${slug}.`);
    const stores = await openOperatorStores({ environment, besideRunning: true });
    const platform = openPlatform(stores.runtime);
    const { REDIS_URL: redisUrl } = stores.runtime.settings;
    const { databaseUrl } = stores.runtime;
    const jobs = createJobs({ databaseUrl, log: platform.log, ...(redisUrl === undefined ? {} : { redisUrl }) });
    try {
      if (isErase) await erase(openErasures(platform, jobs), slug, say);
      else await list(platform, say);
      return 0;
    } catch (error) {
      if (error instanceof DomainError) throw new StartError(error.publicMessage, { cause: error });
      throw error;
    } finally {
      await jobs.close();
      await platform.close();
      await stores.close();
    }
  },
};
