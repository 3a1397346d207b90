import { DomainError } from '#platform/errors';
import type { Database, TenantTx } from '#platform/postgres';
import { findRevision, keepRevision, listDetections, readContentHead, touchRevision } from './detection-store.ts';
import { type EvaluationContent, evaluationContent } from './sandbox-content.ts';

/** Which content a tenant has now, and what a revision means. */
export type ContentRevisions = {
  /** Revision of the tenant's enabled content now; its meaning is kept. */
  current(tenantId: string): Promise<string>;
  /** What a revision means. Throws when it is gone. */
  content(tenantId: string, revision: string): Promise<EvaluationContent>;
};

/** Content of a large tenant is some megabytes; a batch must not read it again when nothing changed. */
const keptBytesMax = 128 * 1024 * 1024;

type Kept = { readonly content: EvaluationContent; readonly bytes: number };

const bytesOf = ({ items }: EvaluationContent): number =>
  items.reduce((sum, { body, spec }) => sum + 2 * (body.length + JSON.stringify(spec).length), 0);

/** Revisions used lately, up to a number of bytes; the one unused for longest goes first. */
function createKeeper() {
  const kept = new Map<string, Kept>();
  let bytes = 0;
  return {
    get(key: string): EvaluationContent | undefined {
      const found = kept.get(key);
      if (found === undefined) return undefined;
      kept.delete(key);
      kept.set(key, found);
      return found.content;
    },
    set(key: string, content: EvaluationContent): void {
      if (kept.has(key)) return;
      const entry = { content, bytes: bytesOf(content) };
      kept.set(key, entry);
      bytes += entry.bytes;
      for (const [oldest, { bytes: freed }] of kept) {
        if (bytes <= keptBytesMax || oldest === key) break;
        kept.delete(oldest);
        bytes -= freed;
      }
    },
  };
}

const headsKept = 10_000;

/**
 * Reads content only when it changed: every change of a tenant's content counts its head up in the same transaction,
 * so one small read tells. A change is seen by the next batch of every worker.
 */
export function createContentRevisions({ database }: { readonly database: Database }): ContentRevisions {
  const keeper = createKeeper();
  const heads = new Map<string, { readonly head: string; readonly revision: string }>();
  const readNow = async (tx: TenantTx, head: string): Promise<string> => {
    const content = evaluationContent(await listDetections(tx));
    await keepRevision(tx, content);
    keeper.set(`${tx.tenantId}/${content.revision}`, content);
    if (heads.size > headsKept) heads.clear();
    heads.set(tx.tenantId, { head, revision: content.revision });
    return content.revision;
  };
  return {
    current: (tenantId) =>
      database.withTenant(tenantId, async (tx) => {
        const head = await readContentHead(tx);
        const known = heads.get(tenantId);
        if (known?.head === head && (await touchRevision(tx, known.revision))) return known.revision;
        return readNow(tx, head);
      }),
    async content(tenantId, revision) {
      const key = `${tenantId}/${revision}`;
      const kept = keeper.get(key);
      if (kept) return kept;
      const found = await database.withTenant(tenantId, (tx) => findRevision(tx, revision));
      if (found === undefined)
        throw new DomainError('internal', {
          publicMessage: 'A content revision is gone.',
          detail: { tenantId, revision },
        });
      keeper.set(key, found);
      return found;
    },
  };
}
