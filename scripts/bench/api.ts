/** Requests per second and latency of the API over many alerts, beside the bare stack in the same run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { type Live, withDeployment } from '../compat/deployment.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { closedLoop, type Load, openLoop, type Request } from './support/load.ts';

const atOnce = 16;

/** Alerts made directly in the database, one a second, the latest now. */
async function makeAlerts({ databaseUrl, tenantId }: Live, count: number): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, options: `-c app.tenant=${tenantId}` });
  await client.connect();
  await client.query(
    `INSERT INTO alerts (tenant_id, id, type, status, severity, title, description, reference, runbook, context,
       detection_id, detection_name, dedup, tags, mitre, log_types, log_sources, resource_types, event_count,
       first_event_at, last_event_at, first_received_at, last_received_at, created_at, trace_id)
     SELECT $1::uuid, md5(n::text), 'RULE', (ARRAY['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED'])[1 + n % 4],
       (ARRAY['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'])[1 + n % 5], 'Alert number ' || n, 'What it is about', '', '',
       '{"actor": "somebody"}', 'Rule.' || n % 200, 'Rule ' || n % 200, 'd' || n, '{aws}', '{TA0001:T1078}',
       '{AWS.CloudTrail}', '{}', '{}', 1 + n % 100, at, at, at, at, at, repeat('0', 32)
     FROM (SELECT n, date_trunc('milliseconds', now() - n * interval '1 second') AS at FROM generate_series(1, $2::int) AS n) AS made`,
    [tenantId, count],
  );
  await client.query('ANALYZE alerts').catch(() => undefined);
  await client.end();
}

async function startBaseline({
  databaseUrl,
  tenantId,
}: Live): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const file = path.join(import.meta.dirname, 'support/baseline-api.ts');
  const child: ChildProcess = spawn(process.execPath, [file], {
    env: { ...process.env, BASELINE_DATABASE_URL: databaseUrl, BASELINE_TENANT: tenantId, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('The baseline has no output.');
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const ended = once(child, 'exit');
  return {
    url,
    async stop() {
      child.kill();
      await ended;
    },
  };
}

const idOf = (number: number): string => createHash('md5').update(String(number)).digest('hex');

const node = 'id title severity status createdAt eventCount assignee { id email }';
const listQuery = `query ($input: AlertsInput!) { alerts(input: $input) { edges { node { ${node} } } pageInfo { endCursor hasNextPage } } }`;
const getQuery = `query ($id: ID!) { alert(id: $id) { ${node} } }`;
const hugeQuery = `query ($input: AlertsInput!) { alerts(input: $input) { edges { node { id title context origin { ... on Detection { description } }
  comments { body } deliveries { outputId } deliveryStates { state } } } } }`;
const input = (pageSize: number) => ({
  createdAtAfter: '2000-01-01T00:00:00Z',
  createdAtBefore: '2100-01-01T00:00:00Z',
  pageSize,
});

function requestsFor({ token }: Live, alerts: number) {
  const headers = { 'content-type': 'application/json', 'x-api-key': token };
  const base = { path: '/public/graphql', headers };
  const random = () => idOf(1 + Math.floor(Math.random() * alerts));
  const list = JSON.stringify({ query: listQuery, variables: { input: input(50) } });
  const huge = JSON.stringify({ query: hugeQuery, variables: { input: input(100) } });
  return {
    list: { ...base, body: () => list, holds: '"endCursor":"' },
    get: {
      ...base,
      body: () => JSON.stringify({ query: getQuery, variables: { id: random() } }),
      holds: 'Alert number',
    },
    huge: { ...base, body: () => huge, holds: '"edges"' },
    signIn: {
      path: '/auth/sign-in',
      headers: { 'content-type': 'application/json' },
      body: () => JSON.stringify({ email: `${Math.random()}@example.com`, password: 'not the right password' }),
      holds: '',
    },
  } satisfies Readonly<Record<string, Request>>;
}

type Ask = ReturnType<typeof requestsFor>;
type Target = 'product' | 'baseline';

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Rounds of full speed on both, one after the other, so that a slow minute of the machine meets both. */
async function fullSpeed(urls: Readonly<Record<Target, string>>, request: Request, seconds: number, rounds: number) {
  const found: Record<Target, Load[]> = { product: [], baseline: [] };
  for (const target of ['baseline', 'product'] as const) await closedLoop(urls[target], request, 3, atOnce);
  for (let round = 0; round < rounds; round += 1)
    for (const target of ['baseline', 'product'] as const)
      found[target].push(await closedLoop(urls[target], request, seconds, atOnce));
  return found;
}

async function compare(urls: Readonly<Record<Target, string>>, request: Request, seconds: number, rounds: number) {
  const found = await fullSpeed(urls, request, seconds, rounds);
  const rate = (target: Target) => median(found[target].map((load) => load.requestsPerSecond));
  const pace = Math.max(1, Math.floor(rate('product') / 2));
  const half = await openLoop(urls.product, request, seconds, pace);
  // At the same pace: what of the latency is the machine's.
  const bare = await openLoop(urls.baseline, request, seconds, pace);
  const refused = [...found.product, ...found.baseline, half, bare].reduce((sum, load) => sum + load.refused, 0);
  return {
    figures: {
      requestsPerSecond: rate('product'),
      baselineRequestsPerSecond: rate('baseline'),
      shareOfBaseline: Math.round((rate('product') / Math.max(1, rate('baseline'))) * 1000) / 1000,
      p99MsAtHalf: half.p99Ms,
      p50MsAtHalf: half.p50Ms,
      baselineP99MsAtHalf: bare.p99Ms,
    },
    refused,
  };
}

/** One client reads single alerts at a steady pace while others sign in wrongly and ask for everything. */
async function storm(url: string, ask: Ask, other: Ask, seconds: number) {
  const pace = 40;
  const calm = await openLoop(url, ask.get, seconds, pace);
  const [during, huge, signIns] = await Promise.all([
    openLoop(url, ask.get, seconds, pace),
    closedLoop(url, other.huge, seconds, 4),
    closedLoop(url, other.signIn, seconds, 8),
  ]);
  return {
    figures: {
      othersP99MsBefore: calm.p99Ms,
      othersP99Ms: during.p99Ms,
      hugeQueriesPerSecond: huge.requestsPerSecond,
      signInsPerSecond: signIns.requestsPerSecond,
    },
    refused: during.refused,
  };
}

async function secondToken({ url, token }: Live): Promise<string> {
  const headers = { 'x-api-key': token, 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'bench', permissions: ['AlertRead', 'UserRead', 'RuleRead'] });
  const answer = await fetch(`${url}/api-tokens`, { method: 'POST', headers, body });
  return ((await answer.json()) as { readonly value: string }).value;
}

export const benchmark: Benchmark = {
  summary: 'lists of 50 and single alerts of many over GraphQL, beside the bare stack; others during a storm',
  options: {
    alerts: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
  },
  async run({ options, say }) {
    const [alerts, seconds, rounds] = (['alerts', 'seconds', 'rounds'] as const).map((name) =>
      wholeOption(options, name),
    );
    const figures: Record<string, unknown> = { alerts };
    let refused = 0;
    await withDeployment(async (live) => {
      await makeAlerts(live, alerts ?? 0);
      const baseline = await startBaseline(live);
      const ask = requestsFor(live, alerts ?? 0);
      const urls = { product: live.url, baseline: baseline.url };
      for (const [name, request] of [
        ['list', ask.list],
        ['get', ask.get],
      ] as const) {
        const result = await compare(urls, request, seconds ?? 1, rounds ?? 1);
        figures[name] = result.figures;
        refused += result.refused;
        say(`${name}: ${JSON.stringify(result.figures)}`);
      }
      await baseline.stop();
      const other = requestsFor({ ...live, token: await secondToken(live) }, alerts ?? 0);
      const result = await storm(live.url, ask, other, seconds ?? 1);
      figures['storm'] = result.figures;
      refused += result.refused;
    });
    return { figures, problems: refused === 0 ? [] : [`${refused} requests were not answered as they should be`] };
  },
};
