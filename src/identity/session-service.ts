import { createHash } from 'node:crypto';
import { type Actor, effectivePermissions, type RequestOrigin, systemActor } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { badInput, DomainError } from '#platform/errors';
import type { Ids } from '#platform/ids';
import type { Database } from '#platform/postgres';
import { hashPassword, isPassword, passwordProblem } from './password.ts';
import { accessOf, lockSeconds, sessionLimits } from './user.ts';
import {
  deleteOtherSessions,
  deleteSession,
  findSessionAnywhere,
  findUser,
  findUsersAnywhere,
  insertSession,
  noteFailure,
  noteSignIn,
  type StoredUser,
  touchSession,
  updatePassword,
} from './user-store.ts';

export type SessionService = {
  /** Checks e-mail and password; the value is for an http-only cookie. Every refusal reads the same. */
  signIn(
    credentials: { readonly email: string; readonly password: string },
    origin: RequestOrigin,
  ): Promise<{ readonly value: string; readonly expiresAt: Date }>;
  authenticate(value: string, origin: RequestOrigin): Promise<Actor>;
  signOut(actor: Actor): Promise<void>;
  /**
   * Replaces the caller's password and ends their other sessions. A wrong current password counts as a failed sign-in
   * (OWASP ASVS 5.0, 6.2.3); a weak new one is `bad_input` on `newPassword`.
   */
  changePassword(
    actor: Actor,
    passwords: { readonly currentPassword: string; readonly newPassword: string },
  ): Promise<void>;
};

type Deps = { readonly database: Database; readonly audit: AuditRecorder; readonly clock: Clock; readonly ids: Ids };

const refused = () =>
  new DomainError('unauthenticated', {
    publicMessage: 'E-mail and password do not belong together, or sign-in is paused after too many attempts.',
  });

const ended = () => new DomainError('unauthenticated', { publicMessage: 'The session has ended. Sign in again.' });

const hashOf = (value: string): Buffer => createHash('sha256').update(value).digest();

function actorOf(user: StoredUser, sessionId: string, origin: RequestOrigin): Actor {
  return {
    kind: 'user',
    id: user.id,
    name: user.email,
    email: user.email,
    tenantId: user.tenantId,
    roleId: user.role.id,
    roleName: user.role.name,
    sessionId,
    permissions: effectivePermissions(user.role.permissions),
    logTypeAccess: accessOf(user.role),
    origin,
  };
}

async function refuse({ database, audit, clock }: Deps, user: StoredUser, origin: RequestOrigin): Promise<void> {
  const failures = user.failedSignIns + 1;
  const seconds = lockSeconds(failures);
  const lockedUntil = seconds === 0 ? null : new Date(clock.now().getTime() + seconds * 1000);
  await database.withTenant(user.tenantId, async (tx) => {
    await noteFailure(tx, user.id, failures, lockedUntil);
    const actor = { ...systemActor(user.tenantId, 'sign-in', origin.traceId), origin };
    await audit.recordAction(tx, actor, 'SIGN_IN', {
      target: { kind: 'user', id: user.id },
      result: 'FAILED',
      error: lockedUntil ? 'wrong password; sign-in is paused' : 'wrong password',
    });
  });
}

async function open({ database, audit, clock, ids }: Deps, user: StoredUser, origin: RequestOrigin) {
  const value = ids.secret(32);
  const now = clock.now();
  const session = {
    id: ids.uuid(),
    userId: user.id,
    usedAt: now,
    expiresAt: new Date(now.getTime() + sessionLimits.absoluteSeconds * 1000),
  };
  await database.withTenant(user.tenantId, async (tx) => {
    await noteSignIn(tx, user.id, now);
    await insertSession(tx, session, hashOf(value));
    await audit.recordAction(tx, actorOf(user, session.id, origin), 'SIGN_IN', {
      target: { kind: 'user', id: user.id },
    });
  });
  return { value, expiresAt: session.expiresAt };
}

async function signIn(
  deps: Deps,
  credentials: { readonly email: string; readonly password: string },
  origin: RequestOrigin,
) {
  const { database, clock } = deps;
  const users = await database.withSystem('a sign-in form knows no tenant', (tx) =>
    findUsersAnywhere(tx, credentials.email),
  );
  const now = clock.now();
  for (const user of users) {
    const isLocked = user.lockedUntil !== null && user.lockedUntil > now;
    const isRight = await isPassword(credentials.password, isLocked ? null : user.passwordHash);
    if (isRight) return open(deps, user, origin);
    if (!isLocked) await refuse(deps, user, origin);
  }
  // An unknown e-mail costs the same work, so that it cannot be told from a wrong password.
  if (users.length === 0) await isPassword(credentials.password, undefined);
  throw refused();
}

async function changePassword(
  deps: Deps,
  actor: Actor,
  { currentPassword, newPassword }: { readonly currentPassword: string; readonly newPassword: string },
): Promise<void> {
  if (actor.kind !== 'user')
    throw new DomainError('forbidden', { publicMessage: 'Only a user who signed in has a password.' });
  const { database, audit, clock } = deps;
  const user = await database.withTenant(actor.tenantId, (tx) => findUser(tx, actor.id));
  if (user === undefined) throw ended();
  const isLocked = user.lockedUntil !== null && user.lockedUntil > clock.now();
  if (!(await isPassword(currentPassword, isLocked ? null : user.passwordHash))) {
    if (!isLocked) await refuse(deps, user, actor.origin);
    throw refused();
  }
  const problem =
    newPassword === currentPassword
      ? 'is the password you have already'
      : passwordProblem(newPassword, [user.email.split('@')[0] ?? '', user.givenName, user.familyName]);
  if (problem !== undefined) throw badInput('newPassword', `newPassword: ${problem}`);
  const passwordHash = await hashPassword(newPassword);
  await database.withTenant(actor.tenantId, async (tx) => {
    await updatePassword(tx, user.id, passwordHash);
    await deleteOtherSessions(tx, user.id, actor.sessionId);
    await audit.recordAction(tx, actor, 'CHANGE_PASSWORD', { target: { kind: 'user', id: user.id } });
  });
}

export function createSessionService(deps: Deps): SessionService {
  const { database, audit, clock } = deps;
  return {
    signIn: (credentials, origin) => signIn(deps, credentials, origin),
    async authenticate(value, origin) {
      const session = await database.withSystem('a cookie names its tenant', (tx) =>
        findSessionAnywhere(tx, hashOf(value)),
      );
      const now = clock.now();
      const isIdle =
        session !== undefined && now.getTime() - session.usedAt.getTime() > sessionLimits.idleSeconds * 1000;
      if (session === undefined || isIdle || session.expiresAt <= now) throw ended();
      return database.withTenant(session.tenantId, async (tx) => {
        // Read each time: a changed role or a disabled user counts from the next request on.
        const user = await findUser(tx, session.userId);
        if (!user?.isEnabled) throw ended();
        if (now.getTime() - session.usedAt.getTime() > 60_000) await touchSession(tx, session.id, now);
        return actorOf(user, session.id, origin);
      });
    },
    changePassword: (actor, passwords) => changePassword(deps, actor, passwords),
    async signOut(actor) {
      if (actor.kind !== 'user') return;
      await database.withTenant(actor.tenantId, async (tx) => {
        await deleteSession(tx, actor.sessionId);
        await audit.recordAction(tx, actor, 'SIGN_OUT', { target: { kind: 'user', id: actor.id } });
      });
    },
  };
}
