import { type Actor, admit, isPermission, may, type Permission, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation, type TenantTx } from '#platform/postgres';
import type { Role } from './user.ts';
import { createRole, deleteRole, roleById, roleByName, roles, updateRole } from './user-operations.ts';
import { deleteRoleRow, insertRole, listRoles, listUsers, updateRoleRow } from './user-store.ts';

export type RoleService = {
  list(actor: Actor, input: unknown): Promise<readonly Role[]>;
  byId(actor: Actor, input: unknown): Promise<Role>;
  byName(actor: Actor, input: unknown): Promise<Role>;
  create(actor: Actor, input: unknown): Promise<Role>;
  update(actor: Actor, input: unknown): Promise<Role>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly ids: Ids };

async function get(tx: TenantTx, is: (role: Role) => boolean, wanted: string): Promise<Role> {
  const found = (await listRoles(tx)).find(is);
  if (found === undefined) throw notFound('role', wanted);
  return found;
}

/** Their holders write Python that runs on all events of the tenant. */
const codeWriting: readonly Permission[] = ['BulkUpload', 'PolicyModify', 'RuleModify'];

const takesList = (kind: Role['logTypeAccessKind']): boolean => kind === 'ALLOW' || kind === 'DENY';

/** A list belongs to ALLOW and DENY only, and nobody gives away what they do not hold. */
function check(actor: Actor, role: Pick<Role, 'permissions' | 'logTypeAccessKind' | 'logTypeAccess'>): void {
  const missing = role.permissions.find((permission) => !may(actor, permission));
  if (missing !== undefined)
    throw badInput('permissions', `permissions: you do not hold ${missing} yourself, so you cannot grant it`);
  if (!takesList(role.logTypeAccessKind) && role.logTypeAccess.length > 0)
    throw badInput('logTypeAccess', `logTypeAccess: leave it out for ${role.logTypeAccessKind}`);
  const writesCode = role.permissions.find((permission) => codeWriting.includes(permission));
  if (role.logTypeAccessKind !== 'ALLOW_ALL' && writesCode !== undefined)
    throw badInput(
      'logTypeAccessKind',
      `logTypeAccessKind: ${writesCode} lets its holder write code that sees every log type; take it away or choose ALLOW_ALL`,
    );
}

async function uniqueName<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error, 'roles_by_name')) throw error;
    throw new DomainError('conflict', { field: 'name', publicMessage: `There is a role named "${name}" already.` });
  }
}

const permissionsOf = (texts: readonly string[]): readonly Permission[] =>
  [...new Set(texts.filter(isPermission))].toSorted();

async function create({ database, audit, ids }: Deps, actor: Actor, input: unknown): Promise<Role> {
  const wanted = admit(actor, createRole, input);
  const role = {
    id: ids.uuid(),
    name: wanted.name,
    permissions: permissionsOf(wanted.permissions),
    logTypeAccessKind: wanted.logTypeAccessKind ?? 'ALLOW_ALL',
    logTypeAccess: wanted.logTypeAccess ?? [],
  };
  check(actor, role);
  const work = database.withTenant(actor.tenantId, async (tx) => {
    await insertRole(tx, role);
    await audit.record(tx, actor, createRole, {
      target: { kind: 'role', id: role.id },
      parameters: { name: role.name, permissions: role.permissions },
    });
    return get(tx, ({ id }) => id === role.id, role.id);
  });
  return uniqueName(role.name, work);
}

async function update({ database, audit }: Deps, actor: Actor, input: unknown): Promise<Role> {
  const wanted = admit(actor, updateRole, input);
  const work = database.withTenant(actor.tenantId, async (tx) => {
    const before = await get(tx, ({ id }) => id === wanted.id, wanted.id);
    if (before.name === 'Admin')
      throw new DomainError('conflict', {
        publicMessage: 'The role Admin holds every permission and cannot be changed.',
      });
    const kind = wanted.logTypeAccessKind ?? before.logTypeAccessKind;
    const role = {
      id: before.id,
      name: wanted.name ?? before.name,
      permissions: wanted.permissions ? permissionsOf(wanted.permissions) : before.permissions,
      logTypeAccessKind: kind,
      logTypeAccess: wanted.logTypeAccess ?? (takesList(kind) ? before.logTypeAccess : []),
    };
    check(actor, role);
    await updateRoleRow(tx, role, referenceOf(actor));
    await audit.record(tx, actor, updateRole, {
      target: { kind: 'role', id: role.id },
      parameters: { name: role.name, permissions: role.permissions },
    });
    return get(tx, ({ id }) => id === role.id, role.id);
  });
  return uniqueName(wanted.name ?? '', work);
}

export function createRoleService(deps: Deps): RoleService {
  const { database, audit } = deps;
  return {
    async list(actor, input) {
      const { nameContains, name, ids, sortDir } = admit(actor, roles, input);
      const found = await database.withTenant(actor.tenantId, listRoles);
      const chosen = found.filter((role) =>
        name
          ? role.name === name
          : (!nameContains || role.name.toLowerCase().includes(nameContains.toLowerCase())) &&
            (!ids || ids.length === 0 || ids.includes(role.id)),
      );
      return sortDir === 'descending' ? chosen.toReversed() : chosen;
    },
    async byId(actor, input) {
      const { id } = admit(actor, roleById, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, (role) => role.id === id, id));
    },
    async byName(actor, input) {
      const { name } = admit(actor, roleByName, input);
      return database.withTenant(actor.tenantId, (tx) =>
        get(tx, (role) => role.name.toLowerCase() === name.toLowerCase(), name),
      );
    },
    create: (actor, input) => create(deps, actor, input),
    update: (actor, input) => update(deps, actor, input),
    async delete(actor, input) {
      const { id } = admit(actor, deleteRole, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        const role = await get(tx, (known) => known.id === id, id);
        if (role.name === 'Admin')
          throw new DomainError('conflict', { publicMessage: 'The role Admin cannot be deleted.' });
        const count = (await listUsers(tx)).filter((user) => user.role.id === id).length;
        if (count > 0)
          throw new DomainError('conflict', {
            publicMessage: `${count} user(s) have the role "${role.name}". Give them another one first.`,
          });
        await deleteRoleRow(tx, id);
        await audit.record(tx, actor, deleteRole, { target: { kind: 'role', id }, parameters: { name: role.name } });
      });
      return { id };
    },
  };
}
