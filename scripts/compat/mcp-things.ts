import { setTimeout as sleep } from 'node:timers/promises';
import { restOperations } from '#http';
import type { Live } from './deployment.ts';

/** Ids of one of each thing that tools are asked about. */
export type Things = {
  readonly alert: string;
  readonly rule: string;
  readonly simple: string;
  readonly scheduled: string;
  readonly policy: string;
  readonly helper: string;
  readonly model: string;
  readonly user: string;
  readonly role: string;
  readonly source: string;
  readonly query: string;
};

type Json = Readonly<Record<string, unknown>>;

async function rest({ url, token }: Live, method: string, address: string, body?: Json): Promise<Json> {
  const response = await fetch(`${url}${address}`, {
    method,
    headers: { 'x-api-key': token, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${address}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Json;
}

/** Waits for the alert that the sent event raises, and for its event to be in the lake. */
async function alertOf(live: Live): Promise<string> {
  const event = { '@timestamp': Date.now(), action: 'protected_branch.destroy', actor: 'x', repo: 'x/y' };
  await fetch(`${live.url}/http/${live.sourceId}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${live.sourceSecret}` },
    body: `${JSON.stringify(event)}\n`,
  });
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const { results: alerts } = (await rest(live, 'GET', '/alerts')) as { results: { id: string }[] };
    const id = alerts[0]?.id;
    const { results: events } = (
      id === undefined ? { results: [] } : await rest(live, 'GET', `/alerts/${id}/events`)
    ) as { results: unknown[] };
    if (id !== undefined && events.length > 0) return id;
    await sleep(300);
  }
  throw new Error('There was no alert in 90 seconds.');
}

/** A scheduled search, or an id that nobody has while no part of the product answers such requests. */
async function queryOf(live: Live): Promise<string> {
  const isOwed = restOperations.some(({ id, operation }) => id === 'query#create' && operation.owedTo !== undefined);
  if (isOwed) return '6c6574cb-fbf9-49fc-baad-1a99464ef09e';
  const schedule = { rateMinutes: 60, timeoutMinutes: 5, disabled: true };
  return String(
    (await rest(live, 'POST', '/queries', { name: 'Compat query', sql: 'select 1 as one', schedule }))['id'],
  );
}

const python = 'def rule(event):\n    return False\n';

/** Makes one of each over REST. */
export async function makeThings(live: Live): Promise<Things> {
  const make = async (address: string, body: Json) => String((await rest(live, 'POST', address, body))['id']);
  const common = { severity: 'LOW', enabled: true };
  const alert = await alertOf(live);
  const roles = (await rest(live, 'GET', '/roles?name=Analyst')) as { results: { id: string }[] };
  return {
    alert,
    rule: await make('/rules', { ...common, id: 'Compat.Rule', body: python, logTypes: ['GitHub.Audit'] }),
    simple: await make('/simple-rules', {
      ...common,
      id: 'Compat.Simple',
      detection: '- Key: action\n  Condition: Equals\n  Value: x\n',
      logTypes: ['GitHub.Audit'],
    }),
    scheduled: await make('/scheduled-rules', {
      ...common,
      id: 'Compat.Scheduled',
      body: python,
      scheduledQueries: ['Compat'],
    }),
    policy: await make('/policies', {
      ...common,
      id: 'Compat.Policy',
      body: 'def policy(resource):\n    return True\n',
      resourceTypes: ['AWS.S3.Bucket'],
    }),
    helper: await make('/globals', { id: 'compat_helper', body: 'x = 1\n' }),
    model: await make('/data-models', {
      id: 'Compat.Model',
      logTypes: ['Custom.Compat'],
      mappings: [{ name: 'who', path: 'actor' }],
    }),
    user: await make('/users', {
      email: 'compat@example.com',
      givenName: 'Com',
      familyName: 'Pat',
      role: { name: 'Analyst' },
    }),
    role: String(roles.results[0]?.id),
    source: live.sourceId,
    query: await queryOf(live),
  };
}
