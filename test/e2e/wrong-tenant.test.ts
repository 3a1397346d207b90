import { afterAll, expect, test, vi } from 'vitest';
import { restOperations } from '#http';
import { startTestDeployment } from '../support/deployment.ts';
import { askRoute, type RestAnswer, sampleBodies } from '../support/rest.ts';

/**
 * Every route asked by another tenant's administrator with the ids of things that exist: the answer is that for ids
 * that nobody has, word for word, and nothing of the owner changes. The same for GraphQL: tenant-walk.test.ts.
 */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
afterAll(() => deployment.stop());

const ask = (token: string, id: string, options: Parameters<typeof askRoute>[2] = {}) =>
  askRoute(deployment.url, id, { ...options, token });

async function make(route: string, body: object, key = 'id'): Promise<string> {
  const answer = await ask(owner.token, route, { body });
  if (answer.status >= 300) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return String((answer.body as Record<string, unknown>)[key]);
}

async function alertOf(): Promise<string> {
  const event = { '@timestamp': Date.now(), action: 'protected_branch.destroy', actor: 'x', repo: 'x/y' };
  await owner.send(`${JSON.stringify(event)}\n`);
  return vi.waitFor(
    async () => {
      const { body } = await ask(owner.token, 'alert#list');
      const [alert] = (body as { results: { id: string }[] }).results;
      if (alert === undefined) throw new Error('no alert yet');
      return alert.id;
    },
    { timeout: 60_000, interval: 300 },
  );
}

const alert = await alertOf();
await ask(owner.token, 'contexttag#create', { body: { tag: 'owned' } });

const source = await make(
  'http source#create',
  {
    ...(sampleBodies['http source#create'] as object),
    integrationLabel: 'owned',
    authMethod: 'SharedSecret',
    authHeaderKey: 'x-secret',
    authSecretValue: 'a secret of some length',
  },
  'integrationId',
);
const alarm = { sourceId: source, type: 'SOURCE_NO_DATA' };
await ask(owner.token, 'log source alarm#put', { params: alarm, body: { minutesThreshold: 60 } });

/** Id of the owner's thing by what routes are about. */
const owned: Readonly<Record<string, string>> = {
  alert,
  'http source': source,
  'log source alarm': source,
  contexttag: 'owned',
  comment: await make('comment#create', { alertId: alert, body: 'mine', format: 'PLAIN_TEXT' }),
  'api token': await make('api token#create', { name: 'owned', permissions: ['AlertRead'] }),
  role: await make('role#create', { name: 'Owned', permissions: ['AlertRead'] }),
  user: await make('user#create', {
    email: 'owned@example.com',
    givenName: 'O',
    familyName: 'W',
    role: { name: 'Analyst' },
  }),
  ...Object.fromEntries(
    await Promise.all(
      ['rule', 'scheduled rule', 'simple rule', 'policy', 'correlation rule', 'global', 'data model', 'query'].map(
        async (subject) => [subject, await make(`${subject}#create`, sampleBodies[`${subject}#create`] as object)],
      ),
    ),
  ),
};

const subjectOf = (id: string): string => id.split('#')[0] ?? '';

/** An id of the same form that nobody has. */
function nobodys(subject: string): string {
  const id = owned[subject] ?? 'nobody';
  return /^[0-9a-f-]+$/.test(id)
    ? id.replaceAll(/[0-9a-f]/g, 'e').replace(/^(.{14})e(.{4})e/, '$14$2a')
    : `no_such_${subject.replaceAll(' ', '_')}`;
}

const idFor = (subject: string, isOwned: boolean): string => (isOwned ? owned[subject] : undefined) ?? nobodys(subject);

/** The body of a route with the ids of the owner's things, or of nobody's, in it. */
function bodyFor(route: string, isOwned: boolean): unknown {
  const sample = sampleBodies[route];
  if (typeof sample !== 'object' || sample === null) return sample;
  const alertId = idFor('alert', isOwned);
  return {
    ...sample,
    ...('alertId' in sample ? { alertId } : {}),
    ...('ids' in sample ? { ids: [alertId] } : {}),
    ...('id' in sample ? { id: idFor(subjectOf(route), isOwned) } : {}),
    // One data model for each log type.
    ...('mappings' in sample ? { logTypes: [`Custom.${idFor(subjectOf(route), isOwned)}`] } : {}),
  };
}

function asStranger(route: string, isOwned: boolean): Promise<RestAnswer> {
  const id = idFor(subjectOf(route), isOwned);
  return ask(stranger.token, route, {
    params: { id, tag: id, sourceId: id, type: 'SOURCE_NO_DATA' },
    body: bodyFor(route, isOwned),
    query: `alert-id=${idFor('alert', isOwned)}&ids=${id}&detection-id=${id}&created-by=${id}`,
  });
}

const plain = ({ status, body }: RestAnswer, id: string, alertId: string): string =>
  JSON.stringify([status, body])
    .replaceAll(id, '<id>')
    .replaceAll(alertId, '<id>')
    .replaceAll(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"<time>"');

/** Everything of the owner as they see it, but for what their own reading changes. */
async function ownView(): Promise<string> {
  const views = await Promise.all(
    Object.entries(owned)
      .filter(([subject]) => subject !== 'contexttag')
      .map(async ([subject, id]) => (await ask(owner.token, `${subject}#get`, { params: { ...alarm, id } })).body),
  );
  const tags = (await ask(owner.token, 'contexttag#list')).body;
  return JSON.stringify([...views, tags]);
}

/** What makes something of the stranger's own under the same id comes last. */
const methods = ['GET', 'DELETE', 'PATCH', 'POST', 'PUT'];
const routes = restOperations.toSorted((a, b) => methods.indexOf(a.method) - methods.indexOf(b.method));
/** Makes one of the stranger's own, with a new id or value in the answer each time. */
const making = new Set(
  routes.filter(({ method, path }) => method === 'POST' && !path.includes('{')).map(({ id }) => id),
);

test('another tenant gets the answer for what does not exist, and changes nothing', async () => {
  const before = await ownView();
  let [same, own] = [0, 0];
  for (const { id: route } of routes) {
    const subject = subjectOf(route);
    if (making.has(route) && !route.startsWith('comment')) {
      const text = JSON.stringify((await asStranger(route, true)).body ?? {});
      const others = Object.entries(owned).filter(([name]) => name !== subject && name !== 'contexttag');
      expect([route, others.filter(([, id]) => text.includes(id))]).toEqual([route, []]);
      const remove = restOperations.find(({ id }) => id === `${subject}#delete`);
      if (remove) await ask(stranger.token, remove.id, { params: { id: owned[subject] ?? '' } });
      own += 1;
      continue;
    }
    const foreign = plain(await asStranger(route, true), idFor(subject, true), alert);
    const nothing = plain(await asStranger(route, false), nobodys(subject), nobodys('alert'));
    expect([route, foreign]).toEqual([route, nothing]);
    same += 1;
  }
  expect(await ownView()).toBe(before);
  process.stdout.write(
    `wrong tenant: ${routes.length} routes, ${same} as for nobody's ids, ${own} making their own, 0 leaks\n`,
  );
  expect(same + own).toBe(restOperations.length);
});
