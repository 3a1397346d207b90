import { parseArgs } from 'node:util';
import { type ExportManifest, parseManifest } from '#lake';
import { DomainError } from '#platform/errors';
import { StartError } from '../data-folder.ts';
import type { Platform } from '../parts.ts';

const hourMs = 3_600_000;

/** The hour of a time that was given, or of another one. */
function hourOf(text: string | undefined, otherwise: Date, usage: string): Date {
  const at = text === undefined ? otherwise : new Date(text);
  if (Number.isNaN(at.getTime())) throw new StartError(`"${text}" is not a time such as 2026-06-15T12:00Z. ${usage}`);
  return new Date(Math.floor(at.getTime() / hourMs) * hourMs);
}

/** Whole hours of a tenant's events: `from` is in it, `to` is not. */
export type ExportedRange = { readonly slug: string; readonly from: Date; readonly to: Date };

/** Reads `<slug> [--from <time>] [--to <time>]`. Without times it is everything up to `until`. */
export function readRange(args: readonly string[], until: Date, usage: string): ExportedRange {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { from: { type: 'string' }, to: { type: 'string' } },
  });
  const [slug, ...more] = positionals;
  if (slug === undefined || more.length > 0) throw new StartError(usage);
  return { slug, from: hourOf(values.from, new Date(0), usage), to: hourOf(values.to, until, usage) };
}

export async function tenantOf({ database }: Platform, slug: string): Promise<string> {
  const [row] = await database.withSystem('the operator names one tenant', (tx) =>
    tx.query<{ id: string }>('SELECT id FROM tenants WHERE slug = $1 AND erasing_at IS NULL', [slug]),
  );
  if (row === undefined) throw new StartError(`There is no tenant "${slug}". "margay tenant list" shows them.`);
  return row.id;
}

/** Where the exports of a tenant lie in the object store. */
export const exportRoot = (tenantId: string): string => `tenants/${tenantId}/exports`;
export const manifestKey = (tenantId: string): string => `${exportRoot(tenantId)}/_manifest.json`;

/** What was exported of a tenant so far; nothing when nothing was. */
export async function readManifest({ storedObjects }: Platform, tenantId: string): Promise<ExportManifest> {
  try {
    return parseManifest((await storedObjects.get(manifestKey(tenantId))).toString('utf8'));
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code === 'not_found') return { tables: [], files: [] };
    throw new StartError(error.publicMessage, { cause: error });
  }
}
