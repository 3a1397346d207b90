import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { allPermissions, builtInRoles, effectivePermissions, type Permission, permissionsFor } from '#access';
import { operations } from '../../graphql/operations.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { unknownIds, walks } from '../support/walks.ts';

/** Every operation asked by everybody: who may is decided by the catalogue alone. */

const deployment = await startTestDeployment();
const tenant = await deployment.tenant('matrix');
afterAll(() => deployment.stop());

type Answer = { status: number; codes: readonly string[]; text: string };

async function ask(name: string, token: string | undefined): Promise<Answer> {
  const walk = walks[name];
  if (walk === undefined) throw new Error(`no walk for ${name}`);
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { 'x-api-key': token }) };
  const body = JSON.stringify({ query: walk.query(unknownIds) });
  const response = await fetch(`${deployment.url}/public/graphql`, { method: 'POST', headers, body });
  const text = await response.text();
  const { errors = [] } = JSON.parse(text) as { errors?: { extensions: { code: string } }[] };
  return { status: response.status, codes: errors.map(({ extensions }) => extensions.code), text };
}

const makeToken = async (name: string, permissions: readonly Permission[], expiresAt?: Date): Promise<string> =>
  (
    await deployment.services.tokens.create(tenant.actor, {
      name,
      permissions: [...permissions],
      ...(expiresAt ? { expiresAt } : {}),
    })
  ).value;

const wantedFor = (name: string): readonly Permission[] => {
  const operation = operations.get(name);
  return operation === undefined ? [] : permissionsFor(operation);
};

const names = [...operations.keys()];

test.each(['none', 'wrong', 'revoked', 'expired'])('with a credential that is %s, nothing answers', async (kind) => {
  let token: string | undefined;
  if (kind === 'wrong') token = 'margay_nonsense';
  if (kind === 'expired') {
    token = await makeToken('expired', allPermissions, new Date(Date.now() + 300));
    await sleep(400);
  }
  if (kind === 'revoked') {
    const made = await deployment.services.tokens.create(tenant.actor, { name: 'revoked', permissions: ['AlertRead'] });
    await deployment.services.tokens.delete(tenant.actor, { id: made.token.id });
    token = made.value;
  }
  for (const name of names) {
    const { status, codes, text } = await ask(name, token);
    expect([name, status, codes]).toEqual([name, 401, ['UNAUTHENTICATED']]);
    expect(text).not.toContain('"data":{');
  }
});

/** Tokens rotate themselves; each asker keeps its own current value. */
async function isForbidden(name: string, token: string): Promise<boolean> {
  const { codes } = await ask(name, token);
  expect(codes).not.toContain('UNAUTHENTICATED');
  expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
  return codes.includes('FORBIDDEN');
}

test.each(builtInRoles.map((role) => role.name))('%s may do what the catalogue says, and no more', async (roleName) => {
  const role = builtInRoles.find((candidate) => candidate.name === roleName);
  const token = await makeToken(roleName, role?.permissions ?? []);
  let refused = 0;
  for (const name of names.filter((other) => other !== 'rotateAPIToken')) {
    const wanted = wantedFor(name);
    const mayDo =
      wanted.length === 0 || wanted.some((permission) => effectivePermissions(role?.permissions ?? []).has(permission));
    expect([name, await isForbidden(name, token)]).toEqual([name, !mayDo]);
    if (!mayDo) refused += 1;
  }
  expect(refused > 0).toBe(roleName !== 'Admin');
});

test('without its one permission, a token that holds all others is refused', async () => {
  for (const name of names) {
    const wanted = wantedFor(name);
    if (wanted.length === 0) continue;
    const all = await makeToken(
      `without ${name}`,
      allPermissions.filter((permission) => !wanted.some((one) => effectivePermissions([permission]).has(one))),
    );
    expect([name, await isForbidden(name, all)]).toEqual([name, true]);
  }
});
