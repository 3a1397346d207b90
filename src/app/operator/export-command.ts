import { parseArgs } from 'node:util';
import { createOperatorAudit } from '#audit';
import type { Command } from '#cli';
import { type ExportedFile, exportParquet, listTables } from '#lake';
import { DomainError } from '#platform/errors';
import { StartError } from '../data-folder.ts';
import { openPlatform, type Platform } from '../parts.ts';
import { openOperatorStores } from './operator-stores.ts';
import { thisOperator } from './this-operator.ts';

const usage = 'Usage: margay export <slug> [--from <time>] [--to <time>]';
const hourMs = 3_600_000;
/** Rows of an hour may still be on their way to the lake for a while. */
const settleMs = 900_000;

type Wanted = { readonly slug: string; readonly from: Date; readonly to: Date };

function momentOf(text: string | undefined, otherwise: Date): Date {
  const at = text === undefined ? otherwise : new Date(text);
  if (Number.isNaN(at.getTime())) throw new StartError(`"${text}" is not a time such as 2026-06-15T12:00Z. ${usage}`);
  return new Date(Math.floor(at.getTime() / hourMs) * hourMs);
}

async function tenantOf({ database }: Platform, slug: string): Promise<string> {
  const [row] = await database.withSystem('the operator exports one tenant', (tx) =>
    tx.query<{ id: string }>('SELECT id FROM tenants WHERE slug = $1 AND erasing_at IS NULL', [slug]),
  );
  if (row === undefined) throw new StartError(`There is no tenant "${slug}". "margay tenant list" shows them.`);
  return row.id;
}

async function readManifest({ storedObjects }: Platform, key: string): Promise<readonly ExportedFile[]> {
  try {
    return (JSON.parse((await storedObjects.get(key)).toString('utf8')) as { files: readonly ExportedFile[] }).files;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'not_found') return [];
    throw error;
  }
}

/** Exports and says, in the list of what operators did, that the tenant's events now lie there in the clear. */
async function exportTenant(platform: Platform, { slug, from, to }: Wanted, say: (line: string) => void) {
  const { database, lakeClient: client, storedObjects } = platform;
  const tenantId = await tenantOf(platform, slug);
  const root = `tenants/${tenantId}/exports`;
  const manifest = `${root}/_manifest.json`;
  const known = await readManifest(platform, manifest);
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
      tables: await database.withTenant(tenantId, (tx) => listTables(tx, tenantId)),
      from,
      to,
      known,
      onFile: ({ path, rows, bytes }) => {
        written += 1;
        say(`${path}  ${rows} rows, ${bytes} bytes`);
      },
    },
  );
  const text = JSON.stringify({ tenant: slug, writtenAt: platform.clock.now().toISOString(), files }, null, 1);
  await storedObjects.put(manifest, Buffer.from(text));
  say(`${written} files written, ${files.length} in all, below ${root}/ of the object store.`);
}

/** `margay export`: events of a tenant as Parquet for other engines. */
export const exportCommand: Command = {
  name: 'export',
  usage: [['export <slug> [--from <time>] [--to <time>]', 'write events as Parquet, not encrypted, for other engines']],
  async run(args, { environment, say }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { from: { type: 'string' }, to: { type: 'string' } },
    });
    const [slug, ...more] = positionals;
    if (slug === undefined || more.length > 0) throw new StartError(usage);
    const from = momentOf(values.from, new Date(0));
    const to = momentOf(values.to, new Date(Date.now() - settleMs));
    const stores = await openOperatorStores({ environment, besideRunning: true });
    const platform = openPlatform(stores.runtime);
    try {
      await exportTenant(platform, { slug, from, to }, say);
      return 0;
    } finally {
      await platform.close();
      await stores.close();
    }
  },
};
