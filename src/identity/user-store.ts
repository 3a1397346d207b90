import { type ActorReference, isPermission, type LogTypeAccess } from '#access';
import type { TenantTx, Tx } from '#platform/postgres';
import type { Role, User } from './user.ts';

type RoleRow = {
  id: string;
  name: string;
  permissions: string[];
  log_type_access_kind: LogTypeAccess['kind'];
  log_type_access: string[];
  created_at: Date;
  updated_at: Date;
  updated_by: ActorReference | null;
};

const toRole = (row: RoleRow): Role => ({
  id: row.id,
  name: row.name,
  permissions: row.permissions.filter(isPermission),
  logTypeAccessKind: row.log_type_access_kind,
  logTypeAccess: row.log_type_access,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  updatedBy: row.updated_by,
});

type UserRow = {
  tenant_id: string;
  id: string;
  email: string;
  given_name: string;
  family_name: string;
  password_hash: string | null;
  is_enabled: boolean;
  failed_sign_ins: number;
  locked_until: Date | null;
  last_signed_in_at: Date | null;
  created_at: Date;
  role: RoleRow;
};

/** A user with what only sign-in may see. */
export type StoredUser = User & {
  readonly tenantId: string;
  readonly passwordHash: string | null;
  readonly failedSignIns: number;
  readonly lockedUntil: Date | null;
};

/** Times inside the joined role come as JSON text. */
const toUser = (row: UserRow): StoredUser => ({
  tenantId: row.tenant_id,
  id: row.id,
  email: row.email,
  givenName: row.given_name,
  familyName: row.family_name,
  role: toRole({ ...row.role, created_at: new Date(row.role.created_at), updated_at: new Date(row.role.updated_at) }),
  isEnabled: row.is_enabled,
  hasPassword: row.password_hash !== null,
  createdAt: row.created_at,
  lastSignedInAt: row.last_signed_in_at,
  passwordHash: row.password_hash,
  failedSignIns: row.failed_sign_ins,
  lockedUntil: row.locked_until,
});

const selectUser = `SELECT u.*, to_jsonb(r) AS role FROM users u JOIN roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id`;

export async function listRoles(tx: TenantTx): Promise<readonly Role[]> {
  const rows = await tx.query<RoleRow>('SELECT * FROM roles WHERE tenant_id = $1 ORDER BY lower(name)', [tx.tenantId]);
  return rows.map(toRole);
}

type RoleSettings = Omit<Role, 'createdAt' | 'updatedAt' | 'updatedBy'>;

export async function insertRole(tx: TenantTx, role: RoleSettings): Promise<void> {
  await tx.execute(
    'INSERT INTO roles (tenant_id, id, name, permissions, log_type_access_kind, log_type_access) VALUES ($1, $2, $3, $4, $5, $6)',
    [tx.tenantId, role.id, role.name, role.permissions, role.logTypeAccessKind, role.logTypeAccess],
  );
}

export async function updateRoleRow(tx: TenantTx, role: RoleSettings, by: ActorReference): Promise<void> {
  await tx.execute(
    `UPDATE roles SET name = $3, permissions = $4, log_type_access_kind = $5, log_type_access = $6, updated_at = now(), updated_by = $7
     WHERE tenant_id = $1 AND id = $2`,
    [tx.tenantId, role.id, role.name, role.permissions, role.logTypeAccessKind, role.logTypeAccess, JSON.stringify(by)],
  );
}

export async function deleteRoleRow(tx: TenantTx, id: string): Promise<void> {
  await tx.execute('DELETE FROM roles WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id]);
}

export async function listUsers(tx: TenantTx): Promise<readonly StoredUser[]> {
  const rows = await tx.query<UserRow>(`${selectUser} WHERE u.tenant_id = $1 ORDER BY lower(u.email)`, [tx.tenantId]);
  return rows.map(toUser);
}

/** Those of the users that exist. */
export async function findUsers(tx: TenantTx, ids: readonly string[]): Promise<readonly StoredUser[]> {
  const rows = await tx.query<UserRow>(`${selectUser} WHERE u.tenant_id = $1 AND u.id::text = ANY ($2::text[])`, [
    tx.tenantId,
    ids,
  ]);
  return rows.map(toUser);
}

export async function findUser(tx: TenantTx, id: string): Promise<StoredUser | undefined> {
  const rows = await tx.query<UserRow>(`${selectUser} WHERE u.tenant_id = $1 AND u.id = $2`, [tx.tenantId, id]);
  return rows[0] && toUser(rows[0]);
}

/** Users with this e-mail in every tenant: a sign-in form knows no tenant. */
export async function findUsersAnywhere(tx: Tx, email: string): Promise<readonly StoredUser[]> {
  const rows = await tx.query<UserRow>(
    `${selectUser} WHERE lower(u.email) = lower($1) AND u.is_enabled ORDER BY u.created_at LIMIT 20`,
    [email],
  );
  return rows.map(toUser);
}

type NewUser = {
  readonly id: string;
  readonly email: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly roleId: string;
  readonly passwordHash: string | null;
};

export async function insertUser(tx: TenantTx, user: NewUser): Promise<void> {
  await tx.execute(
    'INSERT INTO users (tenant_id, id, email, given_name, family_name, role_id, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)',
    [tx.tenantId, user.id, user.email, user.givenName, user.familyName, user.roleId, user.passwordHash],
  );
}

export async function updateUserRow(tx: TenantTx, user: Omit<NewUser, 'passwordHash'>): Promise<void> {
  await tx.execute(
    'UPDATE users SET email = $3, given_name = $4, family_name = $5, role_id = $6 WHERE tenant_id = $1 AND id = $2',
    [tx.tenantId, user.id, user.email, user.givenName, user.familyName, user.roleId],
  );
}

export async function deleteUserRow(tx: TenantTx, id: string): Promise<void> {
  await tx.execute('DELETE FROM users WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id]);
}

export async function noteSignIn(tx: TenantTx, id: string, now: Date): Promise<void> {
  await tx.execute(
    'UPDATE users SET failed_sign_ins = 0, locked_until = NULL, last_signed_in_at = $3 WHERE tenant_id = $1 AND id = $2',
    [tx.tenantId, id, now],
  );
}

export async function noteFailure(tx: TenantTx, id: string, failures: number, lockedUntil: Date | null): Promise<void> {
  await tx.execute('UPDATE users SET failed_sign_ins = $3, locked_until = $4 WHERE tenant_id = $1 AND id = $2', [
    tx.tenantId,
    id,
    failures,
    lockedUntil,
  ]);
}

/** Whoever changes who may administer a tenant takes turns, so that two changes cannot each leave the last administrator. */
export async function lockAdministration(tx: TenantTx): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 7714213))', [tx.tenantId]);
}

export type StoredSession = {
  readonly id: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly usedAt: Date;
  readonly expiresAt: Date;
};

export async function insertSession(
  tx: TenantTx,
  session: Omit<StoredSession, 'tenantId'>,
  tokenHash: Buffer,
): Promise<void> {
  await tx.execute(
    'INSERT INTO sessions (tenant_id, id, user_id, token_hash, created_at, used_at, expires_at) VALUES ($1, $2, $3, $4, $5, $5, $6)',
    [tx.tenantId, session.id, session.userId, tokenHash, session.usedAt, session.expiresAt],
  );
}

export async function findSessionAnywhere(tx: Tx, tokenHash: Buffer): Promise<StoredSession | undefined> {
  const rows = await tx.query<{ id: string; tenant_id: string; user_id: string; used_at: Date; expires_at: Date }>(
    'SELECT id, tenant_id, user_id, used_at, expires_at FROM sessions WHERE token_hash = $1',
    [tokenHash],
  );
  return (
    rows[0] && {
      id: rows[0].id,
      tenantId: rows[0].tenant_id,
      userId: rows[0].user_id,
      usedAt: rows[0].used_at,
      expiresAt: rows[0].expires_at,
    }
  );
}

export async function touchSession(tx: TenantTx, id: string, now: Date): Promise<void> {
  await tx.execute('UPDATE sessions SET used_at = $3 WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id, now]);
}

export async function deleteSession(tx: TenantTx, id: string): Promise<void> {
  await tx.execute('DELETE FROM sessions WHERE tenant_id = $1 AND id = $2', [tx.tenantId, id]);
}

export async function updatePassword(tx: TenantTx, id: string, passwordHash: string): Promise<void> {
  await tx.execute(
    'UPDATE users SET password_hash = $3, failed_sign_ins = 0, locked_until = NULL WHERE tenant_id = $1 AND id = $2',
    [tx.tenantId, id, passwordHash],
  );
}

/** Ends every session of a user but one. */
export async function deleteOtherSessions(tx: TenantTx, userId: string, keptId: string): Promise<void> {
  await tx.execute('DELETE FROM sessions WHERE tenant_id = $1 AND user_id = $2 AND id <> $3', [
    tx.tenantId,
    userId,
    keptId,
  ]);
}

/** Deletes sessions that ended. Returns how many. */
export async function deleteEndedSessions(tx: Tx, now: Date, limit: number): Promise<number> {
  return tx.execute(
    `DELETE FROM sessions WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    [now, limit],
  );
}
