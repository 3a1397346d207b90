import type { Actor } from '#access';
import type { AuditRecorder } from '#audit';
import { listTables } from '#lake';
import type { Clock } from '#platform/clock';
import { badInput } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { ObjectStore } from '#platform/objects';
import type { Database, TenantTx } from '#platform/postgres';
import { buildCatalogue, type Catalogue } from '../catalogue/catalogue.ts';
import type { LogTypeSchema } from '../catalogue/table-columns.ts';
import type { QueryLimits } from '../fence/limits.ts';

/** What the parts of the query service are made of. */
export type QueryDeps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly objects: ObjectStore;
  readonly limits: QueryLimits;
  /** What is known of the log types of a tenant; the rooms that keep schemas hand it in. */
  readonly schemas: (tx: TenantTx) => Promise<readonly LogTypeSchema[]>;
  /** Text of a saved search by its name; the room that keeps them hands it in. */
  readonly savedSearch: (tx: TenantTx, name: string) => Promise<string | undefined>;
};

/** The catalogue of a caller, as it is now. */
export function createCatalogues({ database, schemas }: Pick<QueryDeps, 'database' | 'schemas'>) {
  return (actor: Actor): Promise<Catalogue> =>
    database.withTenant(actor.tenantId, async (tx) =>
      buildCatalogue({
        tables: await listTables(tx, tx.tenantId),
        schemas: await schemas(tx),
        access: actor.logTypeAccess,
      }),
    );
}

/** Where the next page of a list begins. */
export const offsetCursor = (offset: number): string => Buffer.from(`row ${offset}`).toString('base64url');

export function parseOffset(cursor: string | null | undefined): number {
  if (!cursor) return 0;
  const match = /^row (\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null) throw badInput('cursor', 'cursor: is not a cursor of this list');
  return Number(match[1]);
}
