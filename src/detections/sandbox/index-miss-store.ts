import path from 'node:path';
import { z } from 'zod';
import { DomainError } from '#platform/errors';
import { type ObjectStore, tenantKey } from '#platform/objects';

/** Rules of a tenant that the index was seen to leave out wrongly, by the revision of the content. */
export type IndexMissStore = {
  find(tenantId: string, revision: string): Promise<readonly string[]>;
  add(tenantId: string, revision: string, ruleIds: readonly string[]): Promise<void>;
};

/** The same for one tenant. */
export type OwnIndexMisses = {
  find(revision: string): Promise<readonly string[]>;
  add(revision: string, ruleIds: readonly string[]): Promise<void>;
};

/** Revisions whose findings are kept per tenant; each is a small file. */
const keptPerTenant = 20;

const file = z.object({ ruleIds: z.array(z.string().max(1000)).max(20_000) });

type Deps = { readonly objects: Pick<ObjectStore, 'put' | 'get' | 'delete' | 'list'>; readonly bundle: string };

/**
 * Keeps findings in the tenant's part of the object store, so that a restart does not trust the same condition again.
 * They count for one build of the engine, the analysis being part of it, and for one revision of the content.
 */
export function createIndexMissStore({ objects, bundle }: Deps): IndexMissStore {
  const build = path.basename(bundle);
  const keyOf = (tenantId: string, revision: string) => tenantKey(tenantId, 'sandbox-index', `${build}-${revision}`);
  const find = async (tenantId: string, revision: string): Promise<readonly string[]> => {
    try {
      const bytes = await objects.get(keyOf(tenantId, revision));
      return file.parse(JSON.parse(bytes.toString('utf8'))).ruleIds;
    } catch (error) {
      // Missing, cut short or of an older form: samples find it again.
      if (error instanceof DomainError && error.code !== 'not_found') throw error;
      return [];
    }
  };
  return {
    find,
    async add(tenantId, revision, ruleIds) {
      const key = keyOf(tenantId, revision);
      const known = new Set([...(await find(tenantId, revision)), ...ruleIds]);
      await objects.put(key, Buffer.from(JSON.stringify({ ruleIds: [...known].toSorted() })));
      const stored = await objects.list(`${tenantKey(tenantId, 'sandbox-index')}/`);
      const others = stored.filter((other) => other !== key);
      for (const old of others.slice(0, Math.max(0, stored.length - keptPerTenant))) await objects.delete(old);
    },
  };
}
