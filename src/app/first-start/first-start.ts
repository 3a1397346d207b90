import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { allPermissions, systemActor } from '#access';
import type { Alert } from '#alerts';
import { type ContentItem, loadContentDirectory } from '#detections';
import { managedSchemas } from '#ingestion';
import { createServices, openPlatform, openSandbox } from '../parts.ts';
import { publicUrl, type Runtime } from '../runtime.ts';
import { attackSample } from './attack-sample.ts';
import { byLogType, createSampleSender } from './sender.ts';

type Options = { readonly say: (line: string) => void; readonly isTerminal: boolean; readonly sampleEvents?: number };

/** What a fresh deployment was given. */
export type FirstStart = {
  readonly tenantId: string;
  readonly token: string;
  readonly sourceId: string;
  readonly sourceSecret: string;
  readonly adminEmail: string;
  readonly adminPassword: string;
};

type Services = ReturnType<typeof createServices>;

/** Log types that the content looks at and a schema ships for: a source tries the schemas of its own types only. */
function logTypesOf(items: readonly ContentItem[]): readonly string[] {
  const named = items.flatMap(({ spec }) => ('LogTypes' in spec ? (spec.LogTypes ?? []) : []));
  return [...new Set(named)].filter((name) => managedSchemas().has(name)).toSorted();
}

/** A tenant, a token that may do everything, one HTTP source for the shipped log types, and the starter detections. */
export async function prepareTenant(services: Services, slug: string): Promise<FirstStart> {
  const traceId = randomBytes(16).toString('hex');
  const tenant = await services.tenants.create({ slug, name: slug === 'default' ? 'My organization' : slug }, traceId);
  const actor = systemActor(tenant.id, 'first start', traceId);
  const { value: token } = await services.tokens.create(actor, { name: 'first token', permissions: allPermissions });
  const adminPassword = randomBytes(18).toString('base64url');
  const adminEmail = `admin@${slug}.example`;
  const name = { givenName: 'First', familyName: 'Administrator' };
  await services.users.invite(actor, {
    email: adminEmail,
    ...name,
    role: { kind: 'NAME', value: 'Admin' },
    password: adminPassword,
  });
  const { items, problems } = await loadContentDirectory(path.resolve(import.meta.dirname, '../../../content'));
  if (problems.length > 0) throw new Error(`The starter content is damaged: ${JSON.stringify(problems)}`);
  await services.detections.install(actor, items);
  const sourceSecret = randomBytes(24).toString('base64url');
  const source = await services.sources.create(actor, {
    integrationLabel: 'sample',
    logTypes: logTypesOf(items),
    logStreamType: 'Auto',
    authMethod: 'Bearer',
    authBearerToken: sourceSecret,
  });
  return { tenantId: tenant.id, token, sourceId: source.id, sourceSecret, adminEmail, adminPassword };
}

/** Where the first token waits when nobody sits at the terminal; deleted when the token is first used. */
export const firstTokenFile = (dataDir: string): string => path.join(dataDir, 'first-token');

/** Where the first password waits; deleted at the first sign-in. */
export const firstAdminFile = (dataDir: string): string => path.join(dataDir, 'first-admin');

async function waitForAlerts(services: Services, tenantId: string, wanted: number): Promise<readonly Alert[]> {
  const actor = systemActor(tenantId, 'first start', randomBytes(16).toString('hex'));
  const deadline = performance.now() + 60_000;
  for (;;) {
    const { alerts } = await services.alerts.list(actor, {
      createdAtAfter: new Date(0),
      createdAtBefore: new Date(Date.now() + 60_000),
      pageSize: 100,
    });
    if (alerts.length >= wanted || performance.now() > deadline) return alerts;
    await sleep(200);
  }
}

function table(alerts: readonly Alert[]): readonly string[] {
  const rows = alerts.map((alert) => [
    alert.severity,
    alert.logTypes.join(', '),
    alert.title.slice(0, 70),
    String(alert.eventCount),
  ]);
  const header = ['SEVERITY', 'LOG TYPE', 'ALERT', 'EVENTS'];
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [header, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}

function invitation(url: string, first: FirstStart, token: string): readonly string[] {
  const event = `{"action":"repo.access","@timestamp":'$(date +%s)'000,"actor":"me","repo":"me/mine","visibility":"public","previous_visibility":"private"}`;
  const query = `{"query":"{ alerts(input: {createdAtAfter: \\"2020-01-01T00:00:00Z\\", createdAtBefore: \\"2100-01-01T00:00:00Z\\"}) { edges { node { severity title createdAt } } } }"}`;
  return [
    'Send an event of your own:',
    `  curl -H 'Authorization: Bearer ${first.sourceSecret}' -d '${event}' ${url}/http/${first.sourceId}`,
    'Ask for alerts:',
    `  curl -H "X-API-Key: ${token}" -H 'Content-Type: application/json' -d '${query}' ${url}/public/graphql`,
  ];
}

/** Shows the first credentials to the person at the terminal, or leaves them in files that only this user can read. */
async function handOver(
  { dataDir }: Runtime,
  first: FirstStart,
  { say, isTerminal }: Pick<Options, 'say' | 'isTerminal'>,
): Promise<void> {
  const admin = `${first.adminEmail} ${first.adminPassword}`;
  if (isTerminal) {
    say(`Your API token, shown only now: ${first.token}`);
    say(`Your administrator and password, shown only now: ${admin}`);
    return;
  }
  await writeFile(firstTokenFile(dataDir), `${first.token}\n`, { mode: 0o600 });
  await writeFile(firstAdminFile(dataDir), `${admin}\n`, { mode: 0o600 });
  say(`Your administrator and password are in ${firstAdminFile(dataDir)} until the first sign-in.`);
  say(`Your API token is in ${firstTokenFile(dataDir)} until it is first used; keep it now:`);
  say(`  TOKEN=$(cat ${firstTokenFile(dataDir)})`);
}

async function feedSample(
  runtime: Runtime,
  services: Services,
  first: FirstStart,
  { say, sampleEvents }: Pick<Options, 'say'> & { readonly sampleEvents: number },
): Promise<void> {
  say(`Feeding ${sampleEvents} events of a made-up attack …`);
  const sender = await createSampleSender(runtime, first);
  for (const events of byLogType(attackSample({ now: new Date(), seed: 1, eventCount: sampleEvents })))
    await sender.send(events);
  await sender.close();
  for (const line of table(await waitForAlerts(services, first.tenantId, 10))) say(line);
}

/** On an empty deployment: sets up the first tenant, feeds it the bundled attack and shows what was found. */
export async function showFirstStart(
  runtime: Runtime,
  { say, isTerminal, sampleEvents = 200 }: Options,
): Promise<void> {
  const url = publicUrl(runtime);
  const platform = openPlatform({ ...runtime, roles: [] });
  const sandbox = await openSandbox(runtime);
  try {
    const services = createServices(platform, runtime, sandbox);
    if ((await services.tenants.list()).length > 0) {
      say(`Margay is at ${url} (playground: ${url}/playground)`);
      return;
    }
    say('First start: making a tenant, a token, a log source and the starter detections …');
    const first = await prepareTenant(services, 'default');
    if (sampleEvents > 0) await feedSample(runtime, services, first, { say, sampleEvents });
    say(`Margay is at ${url} (playground: ${url}/playground)`);
    await handOver(runtime, first, { say, isTerminal });
    const shown = isTerminal ? first.token : '$TOKEN';
    for (const line of invitation(url, first, shown)) say(line);
  } finally {
    await sandbox.pool.close();
    await platform.close();
  }
}
