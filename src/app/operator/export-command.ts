import { createOperatorAudit } from '#audit';
import type { Command } from '#cli';
import { exportedTables, exportParquet, listTables } from '#lake';
import { openPlatform, type Platform } from '../parts.ts';
import { openOperatorStores } from './operator-stores.ts';
import { type ExportedRange, exportRoot, manifestKey, readManifest, readRange, tenantOf } from './tenant-exports.ts';
import { thisOperator } from './this-operator.ts';

const usage = 'Usage: margay export <slug> [--from <time>] [--to <time>]';
/** Rows of an hour may still be on their way to the lake for a while. */
const settleMs = 900_000;

/** Exports and says, in the list of what operators did, that the tenant's events now lie there in the clear. */
async function exportTenant(platform: Platform, { slug, from, to }: ExportedRange, say: (line: string) => void) {
  const { database, lakeClient: client, storedObjects } = platform;
  const tenantId = await tenantOf(platform, slug);
  const root = exportRoot(tenantId);
  const known = await readManifest(platform, tenantId);
  const tables = await database.withTenant(tenantId, (tx) => listTables(tx, tenantId));
  await database.withSystem('the operator exports one tenant', (tx) =>
    createOperatorAudit(platform).record(tx, thisOperator(), 'EXPORT_TENANT', {
      slug,
      from: from.toISOString(),
      to: to.toISOString(),
    }),
  );
  let written = 0;
  const files = await exportParquet(
    {
      client,
      files: {
        put: (path, bytes) => storedObjects.put(`${root}/${path}`, bytes),
        delete: (path) => storedObjects.delete(`${root}/${path}`),
      },
    },
    {
      tables,
      from,
      to,
      known: known.files,
      onFile: ({ path, rows, bytes }) => {
        written += 1;
        say(`${path}  ${rows} rows, ${bytes} bytes`);
      },
    },
  );
  const named = new Map([...known.tables, ...exportedTables(tables)].map((table) => [table.folder, table]));
  const text = JSON.stringify(
    { tenant: slug, writtenAt: platform.clock.now().toISOString(), tables: [...named.values()], files },
    null,
    1,
  );
  await storedObjects.put(manifestKey(tenantId), Buffer.from(text));
  say(`${written} files written, ${files.length} in all, below ${root}/ of the object store.`);
}

/** `margay export`: events of a tenant as Parquet for other engines. */
export const exportCommand: Command = {
  name: 'export',
  usage: [['export <slug> [--from <time>] [--to <time>]', 'write events as Parquet, not encrypted, for other engines']],
  async run(args, { environment, say }) {
    const wanted = readRange(args, new Date(Date.now() - settleMs), usage);
    const stores = await openOperatorStores({ environment, besideRunning: true });
    const platform = openPlatform(stores.runtime);
    try {
      await exportTenant(platform, wanted, say);
      return 0;
    } finally {
      await platform.close();
      await stores.close();
    }
  },
};
