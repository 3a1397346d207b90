import { afterAll, expect, test } from 'vitest';
import { type Actor, systemActor } from '#access';
import { createAuditRecorder, createAuditService } from '#audit';
import {
  createRoleService,
  createSessionService,
  createTenantService,
  createTokenMemory,
  createTokenService,
  createUserService,
} from '#identity';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
afterAll(close);
const clock = manualClock(new Date('2026-06-01T12:00:00Z'));
const audit = createAuditRecorder({ database, clock });
const ids = systemIds;
const deps = { database, audit, clock, ids };
const tenants = createTenantService({ ...deps, objectionToSecondTenant: () => undefined });
const users = createUserService(deps);
const roles = createRoleService(deps);
const sessions = createSessionService(deps);
const tokens = createTokenService({ ...deps, memory: createTokenMemory(clock) });
const origin = { traceId: '1'.repeat(32), ipAddress: '203.0.113.7' };
const password = 'correct-horse-battery';

async function newTenant(): Promise<{ tenantId: string; actor: Actor; admin: { id: string; email: string } }> {
  const slug = `t-${crypto.randomUUID().slice(0, 8)}`;
  const { id } = await tenants.create({ slug, name: slug }, origin.traceId);
  const actor = systemActor(id, 'test', origin.traceId);
  const email = `admin@${slug}.example`;
  const admin = await users.invite(actor, {
    email,
    givenName: 'A',
    familyName: 'B',
    role: { kind: 'NAME', value: 'Admin' },
    password,
  });
  return { tenantId: id, actor, admin: { id: admin.id, email } };
}

test('the right password opens a session of the right tenant; sign-out ends it', async () => {
  const { tenantId, admin } = await newTenant();
  const { value } = await sessions.signIn({ email: admin.email.toUpperCase(), password }, origin);
  const actor = await sessions.authenticate(value, origin);
  expect(actor).toMatchObject({ kind: 'user', tenantId, email: admin.email, roleName: 'Admin' });
  await sessions.signOut(actor);
  await expect(sessions.authenticate(value, origin)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a wrong password and an unknown e-mail get the same answer', async () => {
  const { admin } = await newTenant();
  const messageOf = (email: string) =>
    sessions.signIn({ email, password: 'wrong password' }, origin).catch((error: Error) => error.message);
  expect(await messageOf(admin.email)).toBe(await messageOf('nobody@nowhere.example'));
});

test('five wrong passwords pause sign-in even for the right one, and the pause passes', async () => {
  const { actor, admin } = await newTenant();
  for (let attempt = 0; attempt < 5; attempt++)
    await sessions.signIn({ email: admin.email, password: 'wrong password' }, origin).catch(() => undefined);
  await expect(sessions.signIn({ email: admin.email, password }, origin)).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  clock.advance(16_000);
  await expect(sessions.signIn({ email: admin.email, password }, origin)).resolves.toHaveProperty('value');
  const { events } = await createAuditService({ database }).list(actor, { pageSize: 20 });
  expect(events.filter((event) => event.action === 'SIGN_IN').map((event) => event.result)).toEqual([
    'SUCCEEDED',
    ...Array<string>(5).fill('FAILED'),
  ]);
});

test('a changed password ends the other sessions, and the old one is refused from then on', async () => {
  const { actor, admin } = await newTenant();
  const signIn = async (secret: string) =>
    (await sessions.signIn({ email: admin.email, password: secret }, origin)).value;
  const [mine, other] = [await signIn(password), await signIn(password)];
  const me = await sessions.authenticate(mine, origin);
  const newPassword = 'staple-of-the-orchard';
  const change = (currentPassword: string, wanted: string) =>
    sessions.changePassword(me, { currentPassword, newPassword: wanted });
  await expect(change('wrong password', newPassword)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(change(password, 'password1234')).rejects.toMatchObject({ code: 'bad_input', field: 'newPassword' });
  await expect(change(password, password)).rejects.toMatchObject({ code: 'bad_input' });
  await change(password, newPassword);
  await expect(sessions.authenticate(mine, origin)).resolves.toMatchObject({ id: admin.id });
  await expect(sessions.authenticate(other, origin)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(signIn(password)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(signIn(newPassword)).resolves.toBeTypeOf('string');
  const { events } = await createAuditService({ database }).list(actor, { pageSize: 20 });
  expect(events.some((event) => event.action === 'CHANGE_PASSWORD' && event.actorId === admin.id)).toBe(true);
  await expect(sessions.changePassword(actor, { currentPassword: password, newPassword })).rejects.toMatchObject({
    code: 'forbidden',
  });
});

test('a session ends after half a day without use', async () => {
  const { admin } = await newTenant();
  const { value } = await sessions.signIn({ email: admin.email, password }, origin);
  clock.advance(11 * 3_600_000);
  await sessions.authenticate(value, origin);
  clock.advance(11 * 3_600_000);
  await sessions.authenticate(value, origin);
  clock.advance(13 * 3_600_000);
  await expect(sessions.authenticate(value, origin)).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a changed role counts from the next request on', async () => {
  const { actor, admin } = await newTenant();
  await users.invite(actor, {
    email: 'second@x.example',
    givenName: '',
    familyName: '',
    role: { kind: 'NAME', value: 'Admin' },
    password,
  });
  const { value } = await sessions.signIn({ email: admin.email, password }, origin);
  await users.update(actor, { id: admin.id, role: { kind: 'NAME', value: 'AnalystReadOnly' } });
  expect((await sessions.authenticate(value, origin)).permissions.has('UserModify')).toBe(false);
});

test('the last administrator can neither be deleted nor lose the role', async () => {
  const { actor, admin } = await newTenant();
  await expect(users.delete(actor, { id: admin.id })).rejects.toMatchObject({ code: 'conflict' });
  await expect(users.update(actor, { id: admin.id, role: { kind: 'NAME', value: 'Analyst' } })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect((await users.byId(actor, { id: admin.id })).role.name).toBe('Admin');
});

test.each(['short', 'aaaaaaaaaaaaaaaa', 'password1234', 'administrator1', `${'x'.repeat(64)}y`.repeat(3)])(
  'the password %s is refused with a reason',
  async (weak) => {
    const { actor } = await newTenant();
    await expect(
      users.invite(actor, {
        email: 'w@x.example',
        givenName: '',
        familyName: '',
        role: { kind: 'NAME', value: 'Analyst' },
        password: weak,
      }),
    ).rejects.toMatchObject({ code: 'bad_input', field: 'password' });
  },
);

test('no password can be read back from the database', async () => {
  const { tenantId } = await newTenant();
  const rows = await database.withTenant(tenantId, (tx) =>
    tx.query<{ password_hash: string }>('SELECT password_hash FROM users'),
  );
  expect(rows[0]?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(JSON.stringify(rows)).not.toContain(password);
});

test('nobody grants what they do not hold, and a role in use stays', async () => {
  const { tenantId, actor } = await newTenant();
  const small: Actor = { ...actor, permissions: new Set(['UserModify', 'UserRead', 'OrganizationAPITokenModify']) };
  await expect(roles.create(small, { name: 'Big', permissions: ['RuleModify'] })).rejects.toMatchObject({
    code: 'bad_input',
  });
  await expect(tokens.create(small, { name: 'big', permissions: ['RuleModify'] })).rejects.toMatchObject({
    code: 'bad_input',
  });
  const analyst = await roles.byName(actor, { name: 'analyst' });
  await users.invite(actor, {
    email: 'n@x.example',
    givenName: '',
    familyName: '',
    role: { kind: 'ID', value: analyst.id },
  });
  await expect(roles.delete(actor, { id: analyst.id })).rejects.toMatchObject({ code: 'conflict' });
  expect(tenantId).not.toBe('');
});

test('a token is refused outside its addresses, after its end and after its rotation', async () => {
  const { actor } = await newTenant();
  const make = (more: object) =>
    tokens.create(actor, { name: crypto.randomUUID(), permissions: ['AlertRead'], ...more });
  const narrow = await make({ allowedCIDRBlocks: ['203.0.113.0/24'] });
  await expect(tokens.authenticate(narrow.value, origin)).resolves.toMatchObject({ kind: 'token' });
  await expect(tokens.authenticate(narrow.value, { ...origin, ipAddress: '198.51.100.1' })).rejects.toMatchObject({
    code: 'forbidden',
  });
  const brief = await make({ expiresAt: new Date(clock.now().getTime() + 1000) });
  clock.advance(2000);
  await expect(tokens.authenticate(brief.value, origin)).rejects.toMatchObject({ code: 'unauthenticated' });
  const self = await tokens.authenticate(narrow.value, origin);
  const rotated = await tokens.rotateOwn(self, {});
  await expect(tokens.authenticate(narrow.value, origin)).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(tokens.authenticate(rotated.value, origin)).resolves.toMatchObject({ id: self.id });
});
