import { z } from 'zod';
import { builtInRoles, parseInput, systemActor } from '#access';
import type { AuditRecorder } from '#audit';
import { DomainError } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation } from '#platform/postgres';

export type Tenant = { readonly id: string; readonly slug: string; readonly name: string };

const newTenant = z.strictObject({
  slug: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be lower-case letters, digits and hyphens'),
  name: z.string().trim().min(1, 'is empty').max(200),
});

export type TenantService = {
  /** Makes a tenant with the built-in roles. A second one needs walls that keep tenants apart. */
  create(input: unknown, traceId: string): Promise<Tenant>;
  list(): Promise<readonly Tenant[]>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly ids: Ids;
  /** Why a second tenant may not share this deployment, or undefined when it may. */
  readonly objectionToSecondTenant: () => string | undefined;
};

export function createTenantService({ database, audit, ids, objectionToSecondTenant }: Deps): TenantService {
  const list = () =>
    database.withSystem('the operator lists all tenants', (tx) =>
      tx.query<Tenant>('SELECT id, slug, name FROM tenants ORDER BY created_at'),
    );
  return {
    list,
    async create(input, traceId) {
      const { slug, name } = parseInput(newTenant, input);
      const objection = (await list()).length > 0 ? objectionToSecondTenant() : undefined;
      if (objection !== undefined) throw new DomainError('conflict', { publicMessage: objection });
      const id = ids.uuid();
      try {
        await database.withSystem('a new tenant belongs to none', (tx) =>
          tx.execute('INSERT INTO tenants (id, slug, name) VALUES ($1, $2, $3)', [id, slug, name]),
        );
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        throw new DomainError('conflict', { field: 'slug', publicMessage: `There is a tenant "${slug}" already.` });
      }
      await database.withTenant(id, async (tx) => {
        for (const role of builtInRoles)
          await tx.execute('INSERT INTO roles (tenant_id, id, name, permissions) VALUES ($1, $2, $3, $4)', [
            id,
            ids.uuid(),
            role.name,
            role.permissions,
          ]);
        await audit.recordAction(tx, systemActor(id, 'tenant creation', traceId), 'CREATE_TENANT', {
          target: { kind: 'tenant', id },
          parameters: { slug, name },
        });
      });
      return { id, slug, name };
    },
  };
}
