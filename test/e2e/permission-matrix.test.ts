import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { allPermissions, builtInRoles, effectivePermissions, type Permission, permissionsFor } from '#access';
import { operations } from '../../graphql/operations.ts';
import { buildSchema } from '../../graphql/schema.ts';
import { restOperations } from '#http';
import { startTestDeployment } from '../support/deployment.ts';
import { minimalQuery } from '../support/minimal-query.ts';
import { askRoute, sampleBodies } from '../support/rest.ts';
import { unknownIds, walks } from '../support/walks.ts';

/** Every operation asked by everybody: who may is decided by the catalogue alone. */

const deployment = await startTestDeployment({ environment: { MARGAY_REFUSALS_PER_MINUTE: '100000' } });
const tenant = await deployment.tenant('matrix');
afterAll(() => deployment.stop());

const schema = buildSchema();

type Answer = { status: number; codes: readonly string[]; text: string };

async function ask(name: string, token: string | undefined): Promise<Answer> {
  const headers = { 'content-type': 'application/json', ...(token === undefined ? {} : { 'x-api-key': token }) };
  const body = JSON.stringify({ query: walks[name]?.query(unknownIds) ?? minimalQuery(schema, name) });
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

/** A credential that is no good: absent, invented, revoked, expired, or used from elsewhere. */
async function badToken(kind: string): Promise<string | undefined> {
  if (kind === 'wrong') return 'margay_nonsense';
  if (kind === 'expired') {
    const token = await makeToken('expired', allPermissions, new Date(Date.now() + 300));
    await sleep(400);
    return token;
  }
  if (kind === 'revoked') {
    const made = await deployment.services.tokens.create(tenant.actor, { name: 'revoked', permissions: ['AlertRead'] });
    await deployment.services.tokens.delete(tenant.actor, { id: made.token.id });
    return made.value;
  }
  return undefined;
}

let cells = 0;

test.each(['none', 'wrong', 'revoked', 'expired'])('with a credential that is %s, nothing answers', async (kind) => {
  const token = await badToken(kind);
  for (const name of names) {
    const { status, codes, text } = await ask(name, token);
    expect([name, status, codes]).toEqual([name, 401, ['UNAUTHENTICATED']]);
    expect(text).not.toContain('"data":{');
  }
  for (const { id } of restOperations) {
    const answer = await askRoute(deployment.url, id, { token, body: sampleBodies[id] });
    expect([id, answer.status, Object.keys(answer.body ?? {})]).toEqual([id, 401, ['message']]);
  }
  cells += names.length + restOperations.length;
});

/** Tokens rotate themselves; each asker keeps its own current value. */
async function isForbidden(name: string, token: string): Promise<boolean> {
  cells += 1;
  const { codes } = await ask(name, token);
  expect(codes).not.toContain('UNAUTHENTICATED');
  expect(codes).not.toContain('INTERNAL_SERVER_ERROR');
  return codes.includes('FORBIDDEN');
}

async function isForbiddenRoute(id: string, token: string): Promise<boolean> {
  cells += 1;
  const { status } = await askRoute(deployment.url, id, { token, body: sampleBodies[id], query: 'alert-id=x' });
  expect([id, status]).not.toEqual([id, 401]);
  expect([id, status]).not.toEqual([id, 500]);
  return status === 403;
}

/** A token may read and rotate itself without a permission; another one it may not. */
const ownRoutes: Readonly<Record<string, Permission>> = {
  'api token#get': 'OrganizationAPITokenRead',
  'api token#rotate': 'OrganizationAPITokenModify',
};

const wantedForRoute = ({ id, operation }: (typeof restOperations)[number]): readonly Permission[] =>
  ownRoutes[id] === undefined ? permissionsFor(operation) : [ownRoutes[id]];

const holds = (granted: readonly Permission[], wanted: readonly Permission[]): boolean =>
  wanted.length === 0 || wanted.some((permission) => effectivePermissions(granted).has(permission));

test.each(builtInRoles.map((role) => role.name))('%s may do what the catalogue says, and no more', async (roleName) => {
  const granted = builtInRoles.find((candidate) => candidate.name === roleName)?.permissions ?? [];
  const token = await makeToken(roleName, granted);
  let refused = 0;
  for (const name of names.filter((other) => other !== 'rotateAPIToken')) {
    const mayDo = holds(granted, wantedFor(name));
    expect([name, await isForbidden(name, token)]).toEqual([name, !mayDo]);
    if (!mayDo) refused += 1;
  }
  for (const route of restOperations) {
    const mayDo = holds(granted, wantedForRoute(route));
    expect([route.id, await isForbiddenRoute(route.id, token)]).toEqual([route.id, !mayDo]);
  }
  expect(refused > 0).toBe(roleName !== 'Admin');
});

/** A token with everything but what any one of these permissions would allow. */
const without = (name: string, wanted: readonly Permission[]) =>
  makeToken(
    `without ${name}`,
    allPermissions.filter((permission) => !wanted.some((one) => effectivePermissions([permission]).has(one))),
  );

test('without its one permission, a token that holds all others is refused', async () => {
  for (const name of names) {
    const wanted = wantedFor(name);
    if (wanted.length === 0) continue;
    expect([name, await isForbidden(name, await without(name, wanted))]).toEqual([name, true]);
  }
  for (const route of restOperations) {
    const wanted = wantedForRoute(route);
    const token = await without(route.id, wanted);
    expect([route.id, await isForbiddenRoute(route.id, token)]).toEqual([route.id, true]);
  }
  process.stdout.write(
    `permission matrix: ${names.length} GraphQL fields, ${restOperations.length} routes, ${cells} cells\n`,
  );
});
