import type { Operator, OperatorAudit } from '#audit';
import { eraseFromLake, listPlaces } from '#lake';
import type { Clock } from '#platform/clock';
import { DomainError } from '#platform/errors';
import type { LakeClient } from '#platform/lake-client';
import type { ObjectStore } from '#platform/objects';
import { type Database, mayRun, type Tx } from '#platform/postgres';
import {
  deleteSomeRows,
  deleteTenantRow,
  type Erasure,
  findErasure,
  findOpenErasure,
  findTenantBySlug,
  insertErasure,
  listOpenErasures,
  saveLakePlaces,
  saveErasure,
  shutTenant,
} from './erasure-store.ts';

export type TenantErasures = {
  /**
   * Begins to erase a tenant, for an operator of the deployment. When it returns, nothing of the tenant is taken in,
   * nobody can sign in and its key is destroyed. The same again continues what was begun.
   */
  begin(operator: Operator, slug: string): Promise<Erasure>;
  /** Takes the erasure as far as it goes now. Each step may be repeated; a crash between two loses nothing. */
  advance(tenantId: string): Promise<Erasure>;
  listOpen(): Promise<readonly Erasure[]>;
};

type Deps = {
  readonly database: Database;
  readonly audit: OperatorAudit;
  readonly lakeClient: Pick<LakeClient, 'command'>;
  readonly objects: Pick<ObjectStore, 'list' | 'delete'>;
  /** Takes jobs of the tenant off the queues; returns how many. */
  readonly forgetJobs: (tenantId: string) => Promise<number>;
  readonly clock: Clock;
};

/** Longer than any process remembers a key or a source of a tenant. */
const settleMs = 60_000;
const objectsPerPage = 1000;

async function begin({ database, audit, clock }: Deps, operator: Operator, slug: string): Promise<Erasure> {
  return database.withSystem('an operator erases a tenant', async (tx) => {
    const tenantId = await findTenantBySlug(tx, slug);
    const begun = tenantId === undefined ? await findOpenErasure(tx, slug) : await findErasure(tx, tenantId);
    if (begun !== undefined) return begun;
    if (tenantId === undefined)
      throw new DomainError('not_found', { publicMessage: `There is no tenant "${slug.slice(0, 100)}".` });
    if (!(await mayRun(tx, 'deletions')))
      throw new DomainError('conflict', { publicMessage: 'A backup is running. Erase the tenant when it has ended.' });
    await shutTenant(tx, tenantId, clock.now());
    const lakePlaces = await listPlaces(tx, tenantId);
    const requestedBy = operator.name;
    await insertErasure(tx, { tenantId, slug, requestedBy, requestedAt: clock.now(), lakePlaces });
    await audit.record(tx, operator, 'BEGIN_TENANT_ERASURE', { tenantId, slug });
    return get(tx, tenantId);
  });
}

async function get(tx: Tx, tenantId: string): Promise<Erasure> {
  const found = await findErasure(tx, tenantId);
  if (found === undefined) throw new Error('There is no such erasure.');
  return found;
}

async function deleteObjects({ objects }: Deps, tenantId: string): Promise<number> {
  let count = 0;
  for (;;) {
    const page = await objects.list(`tenants/${tenantId}/`, { limit: objectsPerPage });
    for (const key of page) await objects.delete(key);
    count += page.length;
    if (page.length === 0) return count;
  }
}

async function deleteRows({ database }: Deps, tenantId: string): Promise<number> {
  let count = 0;
  for (;;) {
    const some = await database.withSystem('a tenant is erased', (tx) => deleteSomeRows(tx, tenantId));
    count += some;
    if (some === 0) return count;
  }
}

/** Everything outside Postgres. */
async function deleteOutside(deps: Deps, erasure: Erasure): Promise<number> {
  const count = await deleteObjects(deps, erasure.tenantId);
  await eraseFromLake(deps.lakeClient, erasure.tenantId, erasure.lakePlaces);
  return count;
}

/** A worker that was busy when the doors shut may have made another table since. */
async function withNewPlaces({ database }: Deps, erasure: Erasure): Promise<Erasure> {
  return database.withSystem('an erasure goes on', async (tx) => {
    const known = new Set(erasure.lakePlaces.map(({ database: name, table }) => `${name}.${table}`));
    const places = await listPlaces(tx, erasure.tenantId);
    const fresh = places.filter(({ database: name, table }) => !known.has(`${name}.${table}`));
    await saveLakePlaces(tx, erasure.tenantId, [...erasure.lakePlaces, ...fresh]);
    return get(tx, erasure.tenantId);
  });
}

async function deleteAll(deps: Deps, begun: Erasure): Promise<void> {
  const erasure = await withNewPlaces(deps, begun);
  const { database, clock } = deps;
  const { tenantId } = erasure;
  const objects = await deleteOutside(deps, erasure);
  const queued = await deps.forgetJobs(tenantId);
  const rows = await deleteRows(deps, tenantId);
  await database.withSystem('a tenant is erased', async (tx) => {
    await deleteTenantRow(tx, tenantId);
    const sum = (name: string, more: number): number => (erasure.deleted[name] ?? 0) + more;
    const deleted = { objects: sum('objects', objects), queued: sum('queued', queued), rows: sum('rows', rows) };
    await saveErasure(tx, tenantId, { state: 'SETTLING', deleted, at: clock.now() });
  });
}

/** What a process that still knew the tenant left behind is gone as well; it was unreadable before. */
async function settle(deps: Deps, erasure: Erasure): Promise<void> {
  const objects = await deleteOutside(deps, erasure);
  await deps.forgetJobs(erasure.tenantId);
  await deps.database.withSystem('a tenant is erased', async (tx) => {
    const deleted = { ...erasure.deleted, objects: (erasure.deleted['objects'] ?? 0) + objects };
    await saveErasure(tx, erasure.tenantId, { state: 'DONE', deleted, at: deps.clock.now() });
    const { tenantId, slug } = erasure;
    await deps.audit.record(tx, { name: erasure.requestedBy }, 'FINISH_TENANT_ERASURE', { tenantId, slug, ...deleted });
  });
}

export function createTenantErasures(deps: Deps): TenantErasures {
  const read = (tenantId: string) => deps.database.withSystem('an erasure goes on', (tx) => get(tx, tenantId));
  return {
    begin: (operator, slug) => begin(deps, operator, slug),
    async advance(tenantId) {
      let erasure = await read(tenantId);
      if (erasure.state === 'DELETING') {
        await deleteAll(deps, erasure);
        erasure = await read(tenantId);
      }
      const isSettled = deps.clock.now().getTime() - (erasure.rowsGoneAt?.getTime() ?? Infinity) > settleMs;
      if (erasure.state === 'SETTLING' && isSettled) await settle(deps, erasure);
      return read(tenantId);
    },
    listOpen: () => deps.database.withSystem('erasures go on after a crash', listOpenErasures),
  };
}
