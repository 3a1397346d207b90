import { createOperatorAudit } from '#audit';
import type { Command } from '#cli';
import { effectiveRetention, listRetention, noOwnRetention } from '#identity';
import { exportedTables, listTables } from '#lake';
import { DomainError } from '#platform/errors';
import { StartError } from '../data-folder.ts';
import { openPlatform, type Platform } from '../parts.ts';
import { retentionLimits } from '../retention-limits.ts';
import type { Runtime } from '../runtime.ts';
import { openOperatorStores } from './operator-stores.ts';
import { type ExportedRange, exportRoot, readManifest, readRange, tenantOf } from './tenant-exports.ts';
import { thisOperator } from './this-operator.ts';

const usage = 'Usage: margay import <slug> [--from <time>] [--to <time>]';
const dayMs = 24 * 3_600_000;

/** Imports what the tenant's export has and its lake has not. */
async function importTenant(
  platform: Platform,
  { settings }: Runtime,
  { slug, from, to }: ExportedRange,
  say: (line: string) => void,
) {
  const { clock, database, lake, storedObjects } = platform;
  const tenantId = await tenantOf(platform, slug);
  const { tables, files } = await readManifest(platform, tenantId);
  if (files.length === 0) throw new StartError(`Nothing of "${slug}" is exported. "margay export ${slug}" does it.`);
  const now = await database.withTenant(tenantId, (tx) => listTables(tx, tenantId));
  const own = await database.withSystem('the operator imports one tenant', async (tx) => {
    await createOperatorAudit(platform).record(tx, thisOperator(), 'IMPORT_TENANT', {
      slug,
      from: from.toISOString(),
      to: to.toISOString(),
    });
    return (await listRetention(tx)).get(tenantId) ?? noOwnRetention;
  });
  const { eventDays } = effectiveRetention(own, retentionLimits(settings));
  const counts = await lake.importParquet({
    tenantId,
    manifest: { tables: [...exportedTables(now), ...tables], files },
    read: (path) => storedObjects.get(`${exportRoot(tenantId)}/${path}`),
    from,
    to,
    keptSince: new Date(clock.now().getTime() - eventDays * dayMs),
    onFile: ({ path }, { imported, alreadyThere, tooOld, refused }) =>
      say(`${path}  ${imported} rows imported, ${alreadyThere} already there, ${tooOld} too old, ${refused} refused`),
    onRefused: ({ path }, reason) => say(`${path}  refused: ${reason}`),
  });
  say(
    `${counts.files} files: ${counts.imported} rows imported, ${counts.alreadyThere} already there, ` +
      `${counts.tooOld} older than the ${eventDays} days that are kept, ${counts.refused} refused.`,
  );
  return counts.refused === 0 ? 0 : 1;
}

/** `margay import`: rows of a tenant's export, back into the lake. */
export const importCommand: Command = {
  name: 'import',
  usage: [['import <slug> [--from <time>] [--to <time>]', 'load exported events that the lake does not have']],
  async run(args, { environment, say }) {
    const wanted = readRange(args, new Date(Date.now() + dayMs), usage);
    const stores = await openOperatorStores({ environment, besideRunning: true });
    const platform = openPlatform(stores.runtime);
    try {
      return await importTenant(platform, stores.runtime, wanted, say);
    } catch (error) {
      throw error instanceof DomainError ? new StartError(error.publicMessage, { cause: error }) : error;
    } finally {
      await platform.close();
      await stores.close();
    }
  },
};
