import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, systemActor } from '#access';
import { writeZip } from '#detections';
import type { startTestDeployment } from '../support/deployment.ts';
import type { startReceiver } from '../support/webhook-receiver.ts';

export type TestDeployment = Awaited<ReturnType<typeof startTestDeployment>>;
type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** A tenant that goes through everything once. */
export type Passage = {
  readonly tenantId: string;
  readonly slug: string;
  readonly actor: Actor;
  readonly ingestUrl: string;
  receiptId?: string;
  queryId?: string;
};

export const logType = 'Custom.Passage';
const schema = `schema: ${logType}
fields:
  - { name: id, type: string, required: true }
  - { name: group, type: string, required: true }
  - { name: kind, type: string, required: true }
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
`;

const ruleOf = (id: string, severity: string, body: string, more = '') => ({
  specification: `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: x.py\nLogTypes: [${logType}]\nSeverity: ${severity}\n${more}`,
  body,
});

const grouped =
  'def dedup(event):\n    return event["group"]\ndef title(event):\n    return __name__ + event["group"]\n';

/** A rule that remembers, one with a threshold, one that fails, one whose alerts nobody takes. */
const rules = [
  ruleOf(
    'Passage.Hit',
    'Low',
    `from panther_detection_helpers.caching import increment_counter\ndef rule(event):\n    if event["kind"] != "hit":\n        return False\n    increment_counter(event["group"])\n    return True\n${grouped.replace('__name__', '"hit "')}`,
  ),
  ruleOf(
    'Passage.Many',
    'High',
    'def rule(event):\n    return event["kind"] == "hit"\ndef title(event):\n    return "many"\n',
    'Threshold: 3\n',
  ),
  ruleOf('Passage.Fails', 'Medium', 'def rule(event):\n    return event["kind"] == "bad" and event["nothing"] + 1\n'),
  ruleOf(
    'Passage.Untaken',
    'Info',
    `def rule(event):\n    return event["kind"] == "untaken"\n${grouped.replace('__name__', '"untaken "')}`,
  ),
];

/** What the archive that is uploaded meanwhile holds. */
const archive = writeZip([
  {
    name: 'later.yml',
    bytes: Buffer.from(
      `AnalysisType: rule\nRuleID: Passage.Later\nEnabled: false\nFilename: later.py\nLogTypes: [${logType}]\nSeverity: Low\n`,
    ),
  },
  { name: 'later.py', bytes: Buffer.from('def rule(event):\n    return False\n') },
]);

/** A tenant with rules, a source, a receiver that takes alerts and one that refuses them for good. */
export async function preparePassage(
  { services, url }: TestDeployment,
  receivers: { readonly taking: Receiver; readonly refusing: Receiver },
  slug: string,
): Promise<Passage> {
  const traceId = randomBytes(16).toString('hex');
  const { id: tenantId } = await services.tenants.create({ slug, name: slug }, traceId);
  const actor = systemActor(tenantId, 'crash points', traceId);
  await services.schemas.save(actor, { name: logType, spec: schema });
  for (const rule of rules) await services.detections.save(actor, rule);
  const severities = ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];
  await services.destinations.createWebhook(actor, { name: 'taking', url: receivers.taking.url, severities });
  await services.destinations.createWebhook(actor, {
    name: 'refusing',
    url: receivers.refusing.url,
    severities: ['INFO'],
  });
  const { id } = await services.sources.create(actor, {
    integrationLabel: 'passage',
    logTypes: [logType],
    logStreamType: 'Lines',
    authMethod: 'None',
  });
  return { tenantId, slug, actor, ingestUrl: `${url}/http/${id}` };
}

const kindsOfRequests: readonly (readonly (readonly [kind: string, group: string])[])[] = [
  [
    ['hit', 'a'],
    ['hit', 'b'],
    ['bad', 'a'],
    ['quiet', 'a'],
    ['untaken', 'a'],
  ],
  [
    ['hit', 'a'],
    ['hit', 'a'],
    ['quiet', 'b'],
    ['quiet', 'c'],
  ],
];

/** The events of a passage, one list per request. */
export const requests = kindsOfRequests.map((kinds, number) =>
  kinds.map(([kind, group], place) => ({ id: `event-${number}-${place}`, kind, group })),
);

/** As a careful sender does: under a name of its own, again and again until it is acknowledged. */
async function sendUntilAcknowledged(url: string, body: string): Promise<void> {
  const headers = { 'idempotency-key': randomUUID() };
  for (;;) {
    const signal = AbortSignal.timeout(30_000);
    const status = await fetch(url, { method: 'POST', headers, body, signal }).then(
      (response) => response.arrayBuffer().then(() => response.status),
      () => 0,
    );
    if (status === 202) return;
    await sleep(200);
  }
}

/** Everything at once: logs, an archive of rules, a question to the lake. Returns when all of it is acknowledged. */
export async function pass({ services }: TestDeployment, passage: Passage): Promise<void> {
  const { actor } = passage;
  passage.receiptId = (await services.uploads.uploadAsync(actor, { data: archive.toString('base64') })).receiptId;
  passage.queryId = (await services.queries.execute(actor, { sql: 'SELECT 1 AS one' })).id;
  for (const events of requests) {
    const at = new Date().toISOString();
    const lines = events.map((event) => JSON.stringify({ ...event, at }));
    await sendUntilAcknowledged(passage.ingestUrl, [...lines, 'a line that fits nothing', ''].join('\n'));
  }
}
