import path from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { DomainError } from '#platform/errors';
import { type ObjectStore, tenantKey } from '#platform/objects';
import type { RuleError } from './sandbox-contract.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** An interpreter right after it loaded a tenant's content, and what loading said. */
export type TenantSnapshot = {
  readonly memory: Uint8Array;
  readonly loadErrors: readonly RuleError[];
  /** Rules left out because they hung or crashed while they were loaded, by their number. */
  readonly unloadable: readonly (readonly [number, RuleError])[];
};

export type TenantSnapshots = {
  find(tenantId: string, revision: string): Promise<TenantSnapshot | undefined>;
  save(tenantId: string, revision: string, snapshot: TenantSnapshot): Promise<void>;
  /** After it could not be restored. */
  forget(tenantId: string, revision: string): Promise<void>;
};

/** A heap may not be larger than its ceiling, so neither may what a stored snapshot unpacks to. */
const memoryBytesMax = 192 * 1024 * 1024;
/** Per tenant: the revision of now and the one before, which batches in work may still name. */
const keptPerTenant = 2;

const ruleError = z.object({
  recordIndex: z.null(),
  ruleId: z.string(),
  kind: z.enum(['exception', 'return_type', 'timeout', 'memory', 'crash', 'load']),
  exception: z.string(),
  message: z.string(),
  traceback: z.string(),
});

const header = z.object({
  tenantId: z.string(),
  build: z.string(),
  revision: z.string(),
  loadErrors: z.array(ruleError),
  unloadable: z.array(z.tuple([z.number().int(), ruleError])),
});

type Deps = { readonly objects: Pick<ObjectStore, 'put' | 'get' | 'delete' | 'list'>; readonly bundle: string };

/**
 * Snapshots in the tenants' own part of the object store, encrypted with their keys and gone when they are erased. The
 * bytes are a tenant's own work and as little trusted as its rules: each is bound to its tenant, content and build, and
 * is only ever unpacked into a sandbox of that tenant.
 */
export function createTenantSnapshots({ objects, bundle }: Deps): TenantSnapshots {
  const build = path.basename(bundle);
  const keyOf = (tenantId: string, revision: string) => tenantKey(tenantId, 'sandbox', `${build}-${revision}`);
  const recent = new Map<string, readonly string[]>();
  const parse = async (tenantId: string, revision: string, bytes: Buffer): Promise<TenantSnapshot | undefined> => {
    const length = bytes.readUInt32LE(0);
    const { loadErrors, unloadable, ...bound } = header.parse(JSON.parse(bytes.toString('utf8', 4, 4 + length)));
    if (bound.tenantId !== tenantId || bound.revision !== revision || bound.build !== build) return undefined;
    const memory = await decompress(bytes.subarray(4 + length), { maxOutputLength: memoryBytesMax });
    return { memory, loadErrors, unloadable };
  };
  const dropOld = async (tenantId: string, key: string): Promise<void> => {
    const kept = [...(recent.get(tenantId) ?? []).filter((other) => other !== key), key].slice(-keptPerTenant);
    recent.set(tenantId, kept);
    const stored = await objects.list(`${tenantKey(tenantId, 'sandbox')}/`);
    for (const old of stored) if (!kept.includes(old)) await objects.delete(old);
  };
  return {
    async find(tenantId, revision) {
      try {
        return await parse(tenantId, revision, await objects.get(keyOf(tenantId, revision)));
      } catch (error) {
        // Missing, cut short or of an older form: the content is loaded from its source instead.
        if (error instanceof DomainError && error.code !== 'not_found') throw error;
        return undefined;
      }
    },
    async save(tenantId, revision, { memory, loadErrors, unloadable }) {
      const head = Buffer.from(JSON.stringify({ tenantId, build, revision, loadErrors, unloadable }));
      const length = Buffer.allocUnsafe(4);
      length.writeUInt32LE(head.length, 0);
      const packed = await compress(memory, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
      const key = keyOf(tenantId, revision);
      await objects.put(key, Buffer.concat([length, head, packed]));
      await dropOld(tenantId, key);
    },
    forget: (tenantId, revision) => objects.delete(keyOf(tenantId, revision)),
  };
}
