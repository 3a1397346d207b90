import { type Actor, admit } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation, type TenantTx } from '#platform/postgres';
import { hashPassword, passwordProblem } from './password.ts';
import type { Role, User } from './user.ts';
import {
  deleteUser,
  inviteUser,
  searchUsers,
  updateUser,
  userByEmail,
  userById,
  userReferences,
  users,
} from './user-operations.ts';
import {
  deleteUserRow,
  findUsers,
  insertUser,
  listRoles,
  listUsers,
  lockAdministration,
  type StoredUser,
  updateUserRow,
} from './user-store.ts';

type UserPage = { readonly users: readonly User[]; readonly endCursor: string | null };

export type UserService = {
  list(actor: Actor, input: unknown): Promise<readonly User[]>;
  /** Those of the users that exist, for whoever may see what names them. */
  references(actor: Actor, input: unknown): Promise<readonly User[]>;
  /** A page of those that fit; an exact e-mail silences the other filters. */
  search(actor: Actor, input: unknown): Promise<UserPage>;
  byId(actor: Actor, input: unknown): Promise<User>;
  byEmail(actor: Actor, input: unknown): Promise<User>;
  invite(actor: Actor, input: unknown): Promise<User>;
  update(actor: Actor, input: unknown): Promise<User>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly ids: Ids };

const visible = ({
  passwordHash: _hash,
  failedSignIns: _failures,
  lockedUntil: _until,
  tenantId: _tenant,
  ...user
}: StoredUser): User => user;

async function get(tx: TenantTx, is: (user: StoredUser) => boolean, wanted: string): Promise<StoredUser> {
  const found = (await listUsers(tx)).find(is);
  if (found === undefined) throw notFound('user', wanted);
  return found;
}

async function roleOf(
  tx: TenantTx,
  { kind, value }: { readonly kind: 'ID' | 'NAME'; readonly value: string },
): Promise<Role> {
  const found = (await listRoles(tx)).find((role) =>
    kind === 'ID' ? role.id === value : role.name.toLowerCase() === value.toLowerCase(),
  );
  if (found === undefined) throw badInput('role', `role: there is no role "${value}"`);
  return found;
}

/** A tenant always keeps an enabled administrator who signs in with a password; call it after the change, in its transaction. */
async function refuseWithoutAdmin(tx: TenantTx): Promise<void> {
  const left = (await listUsers(tx)).some((user) => user.isEnabled && user.hasPassword && user.role.name === 'Admin');
  if (!left)
    throw new DomainError('conflict', { publicMessage: 'At least one user with a password must keep the role Admin.' });
}

async function uniqueEmail<T>(email: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error, 'users_by_email')) throw error;
    throw new DomainError('conflict', {
      field: 'email',
      publicMessage: `There is a user with the e-mail "${email}" already.`,
    });
  }
}

async function invite({ database, audit, ids }: Deps, actor: Actor, input: unknown): Promise<User> {
  const wanted = admit(actor, inviteUser, input);
  const problem = wanted.password
    ? passwordProblem(wanted.password, [wanted.email.split('@')[0] ?? '', wanted.givenName, wanted.familyName])
    : undefined;
  if (problem !== undefined) throw badInput('password', `password: ${problem}`);
  const passwordHash = wanted.password ? await hashPassword(wanted.password) : null;
  const id = ids.uuid();
  const { email, givenName, familyName } = wanted;
  const work = database.withTenant(actor.tenantId, async (tx) => {
    const role = await roleOf(tx, wanted.role);
    await insertUser(tx, { id, email, givenName, familyName, roleId: role.id, passwordHash });
    await audit.record(tx, actor, inviteUser, { target: { kind: 'user', id }, parameters: { email, role: role.name } });
    return visible(await get(tx, (user) => user.id === id, id));
  });
  return uniqueEmail(email, work);
}

async function update({ database, audit }: Deps, actor: Actor, input: unknown): Promise<User> {
  const { id, email, givenName, familyName, role: wantedRole } = admit(actor, updateUser, input);
  const work = database.withTenant(actor.tenantId, async (tx) => {
    await lockAdministration(tx);
    const before = await get(tx, (user) => user.id === id, id);
    const role = wantedRole ? await roleOf(tx, wantedRole) : before.role;
    if (actor.id === id && before.role.name === 'Admin' && role.name !== 'Admin')
      throw new DomainError('conflict', {
        field: 'role',
        publicMessage: 'An administrator cannot give up the role; another one must take it away.',
      });
    await updateUserRow(tx, {
      id,
      email: email ?? before.email,
      givenName: givenName ?? before.givenName,
      familyName: familyName ?? before.familyName,
      roleId: role.id,
    });
    if (before.role.name === 'Admin') await refuseWithoutAdmin(tx);
    await audit.record(tx, actor, updateUser, { target: { kind: 'user', id }, parameters: { role: role.name } });
    return visible(await get(tx, (user) => user.id === id, id));
  });
  return uniqueEmail(email ?? '', work);
}

async function search({ database }: Deps, actor: Actor, input: unknown): Promise<UserPage> {
  const { cursor, pageSize, contains, email, ids, includesDeactivated, isConfirmed } = admit(actor, searchUsers, input);
  const part = contains?.toLowerCase();
  const fits = (user: StoredUser): boolean =>
    email
      ? user.email.toLowerCase() === email.toLowerCase()
      : (!part || `${user.givenName} ${user.familyName} ${user.email}`.toLowerCase().includes(part)) &&
        (!ids || ids.length === 0 || ids.includes(user.id)) &&
        (includesDeactivated === true || user.isEnabled) &&
        (isConfirmed ?? user.hasPassword) === user.hasPassword;
  const all = await database.withTenant(actor.tenantId, listUsers);
  const found = all.filter(fits).filter((user) => !cursor || user.email.toLowerCase() > cursor);
  const page = found.slice(0, pageSize ?? 60);
  const last = found.length > page.length ? page.at(-1) : undefined;
  return { users: page.map(visible), endCursor: last ? last.email.toLowerCase() : null };
}

export function createUserService(deps: Deps): UserService {
  const { database, audit } = deps;
  return {
    async list(actor, input) {
      admit(actor, users, input);
      const found = await database.withTenant(actor.tenantId, listUsers);
      return found.map(visible);
    },
    async references(actor, input) {
      const { ids } = admit(actor, userReferences, input);
      const found = await database.withTenant(actor.tenantId, (tx) => findUsers(tx, ids));
      return found.map(visible);
    },
    search: (actor, input) => search(deps, actor, input),
    async byId(actor, input) {
      const { id } = admit(actor, userById, input);
      return database.withTenant(actor.tenantId, async (tx) => visible(await get(tx, (user) => user.id === id, id)));
    },
    async byEmail(actor, input) {
      const { email } = admit(actor, userByEmail, input);
      return database.withTenant(actor.tenantId, async (tx) =>
        visible(await get(tx, (user) => user.email.toLowerCase() === email.toLowerCase(), email)),
      );
    },
    invite: (actor, input) => invite(deps, actor, input),
    update: (actor, input) => update(deps, actor, input),
    async delete(actor, input) {
      const { id } = admit(actor, deleteUser, input);
      if (actor.id === id)
        throw new DomainError('conflict', {
          publicMessage: 'Nobody can delete their own user; another administrator must.',
        });
      await database.withTenant(actor.tenantId, async (tx) => {
        await lockAdministration(tx);
        const before = await get(tx, (user) => user.id === id, id);
        await deleteUserRow(tx, id);
        if (before.role.name === 'Admin') await refuseWithoutAdmin(tx);
        await audit.record(tx, actor, deleteUser, {
          target: { kind: 'user', id },
          parameters: { email: before.email },
        });
      });
      return { id };
    },
  };
}
