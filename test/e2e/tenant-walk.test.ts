import { afterAll, expect, test, vi } from 'vitest';
import { operations } from '../../graphql/operations.ts';
import { buildSchema } from '../../graphql/schema.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { minimalQuery } from '../support/minimal-query.ts';
import { httpSourceInput, ruleInput, unknownIds, walkSpan, type WalkIds, walks } from '../support/walks.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

/**
 * Walks every root field of the schema, first as the owner with valid ids, then as another tenant's owner with the same
 * ids. A field without an entry here fails the test.
 */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
const refusing = await startReceiver(() => 410);
afterAll(async () => {
  await deployment.stop();
  await refusing.close();
});

const schema = buildSchema();
const names = [schema.getQueryType(), schema.getMutationType()].flatMap((type) => Object.keys(type?.getFields() ?? {}));

const owed = names.filter((name) => operations.get(name)?.owedTo !== undefined);

test('every root field has an entry in the walk, or is owed', () => {
  expect([...Object.keys(walks), ...owed].toSorted()).toEqual(names.toSorted());
});

test('what is owed says so to everybody', async () => {
  for (const name of owed) {
    const { data, errors } = await owner.ask(minimalQuery(schema, name));
    expect([name, errors?.[0]?.extensions.code]).toEqual([name, 'NOT_AVAILABLE']);
    expect(Object.values(data ?? {})).toEqual(data === null ? [] : [null]);
  }
});

async function makeIds(): Promise<WalkIds> {
  const data = async (query: string, pick: (data: never) => string): Promise<string> => {
    const answer = await owner.ask(query);
    expect(answer.errors).toBeUndefined();
    return pick(answer.data as never);
  };
  const saved = await data(
    `mutation { saveDetection(input: ${ruleInput('Walk.Owned')}) { id } }`,
    ({ saveDetection }: { saveDetection: { id: string } }) => saveDetection.id,
  );
  const destination = await data(
    `mutation { createWebhookDestination(input: {name: "owned", url: "${refusing.url}", severities: [INFO, LOW, MEDIUM, HIGH, CRITICAL], alertTypes: [RULE]}) { id } }`,
    (it: { createWebhookDestination: { id: string } }) => it.createWebhookDestination.id,
  );
  const source = await data(
    `mutation { createHttpSource(input: {${httpSourceInput('owned')}}) { logSource { integrationId } } }`,
    (it: { createHttpSource: { logSource: { integrationId: string } } }) => it.createHttpSource.logSource.integrationId,
  );
  const token = await data(
    'mutation { createAPIToken(input: {name: "owned", permissions: [AlertRead]}) { token { id } } }',
    (it: { createAPIToken: { token: { id: string } } }) => it.createAPIToken.token.id,
  );
  const role = await data(
    'mutation { createRole(input: {name: "Owned", permissions: [AlertRead]}) { role { id } } }',
    (it: { createRole: { role: { id: string } } }) => it.createRole.role.id,
  );
  const user = await data(
    'mutation { inviteUser(input: {email: "owned@example.com", givenName: "O", familyName: "W", role: {kind: NAME, value: "Analyst"}}) { user { id } } }',
    (it: { inviteUser: { user: { id: string } } }) => it.inviteUser.user.id,
  );
  const emptyZip = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1').toString('base64');
  const upload = await data(
    `mutation { uploadDetectionEntitiesAsync(input: {data: "${emptyZip}"}) { receiptId } }`,
    (it: { uploadDetectionEntitiesAsync: { receiptId: string } }) => it.uploadDetectionEntitiesAsync.receiptId,
  );
  const validation = await data(
    `mutation { validateBulkUpload(input: {data: "${emptyZip}"}) { receiptId } }`,
    (it: { validateBulkUpload: { receiptId: string } }) => it.validateBulkUpload.receiptId,
  );
  const place = await data(
    '{ bulkUploadPresignedUrl(input: {pypantherVersion: "1"}) { detectionsURL sessionId } }',
    (it: { bulkUploadPresignedUrl: { detectionsURL: string } }) => it.bulkUploadPresignedUrl.detectionsURL,
  );
  await fetch(place, { method: 'PUT', body: emptyZip });
  const query = await data(
    'mutation { executeDataLakeQuery(input: {sql: "select 7 as seven"}) { id } }',
    (it: { executeDataLakeQuery: { id: string } }) => it.executeDataLakeQuery.id,
  );
  const savedQuery = await data(
    'mutation { createSavedQuery(input: {name: "Owned search", sql: "select 8 as eight"}) { name } }',
    (it: { createSavedQuery: { name: string } }) => it.createSavedQuery.name,
  );
  const sent = await owner.send(
    `${JSON.stringify({ '@timestamp': Date.now(), action: 'protected_branch.destroy', actor: 'x', repo: 'x/y' })}\n`,
  );
  type Raised = {
    alerts: { edges: { node: { id: string; deliveryStates: { id: string }[] } }[] };
    systemErrors: { edges: { node: { id: string } }[] };
  };
  /** The destination refuses the alert, so the delivery is given up at once and a system error follows. */
  const raised = await vi.waitFor(
    async () => {
      const nodes = 'edges { node { id deliveryStates { id } } }';
      const { data: found } = await owner.ask(
        `{ alerts(input: {${walkSpan}}) { ${nodes} } systemErrors { edges { node { id } } } }`,
      );
      const { alerts, systemErrors } = found as Raised;
      const alert = alerts.edges[0]?.node;
      const [delivery, systemError] = [alert?.deliveryStates[0]?.id, systemErrors.edges[0]?.node.id];
      if (!alert || !delivery || !systemError) throw new Error('not there yet');
      return { alert: alert.id, delivery, systemError };
    },
    { timeout: 30_000, interval: 200 },
  );
  return {
    ...raised,
    query,
    savedQuery,
    user,
    role,
    source,
    destination,
    detection: saved,
    token,
    upload,
    session: new URL(place).pathname.split('/').at(-1) ?? '',
    validation,
    batch: ((await sent.json()) as { batchId: string }).batchId,
  };
}

const ids = await makeIds();
/** Deleting ends what others still need, and rotating ends the token itself. */
const last = [
  'deleteUser',
  'deleteRole',
  'deleteDestination',
  'deleteSource',
  'deleteDetection',
  'deleteAPIToken',
  'rotateAPIToken',
];
const order = [...Object.keys(walks).filter((name) => !last.includes(name)), ...last];

const withoutIds = (text: string, used: WalkIds): string =>
  Object.values(used).reduce((result, id) => result.replaceAll(id, '<id>'), text);

test.each(order)('%s', async (name) => {
  const walk = walks[name];
  if (walk === undefined) throw new Error('no entry');
  const foreign = await stranger.ask(walk.query(ids));
  const text = JSON.stringify(foreign);
  if (walk.stranger === 'none') {
    expect(foreign.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const nothing = await stranger.ask(walk.query(unknownIds));
    expect(withoutIds(text, ids)).toBe(withoutIds(JSON.stringify(nothing), unknownIds));
  } else {
    expect(foreign.errors).toBeUndefined();
    for (const id of Object.values(ids)) expect(text).not.toContain(id);
    if (walk.stranger === 'null') expect(Object.values(foreign.data ?? {})).toEqual([null]);
  }
  const own = await owner.ask(walk.query(ids));
  expect(own.errors).toBeUndefined();
  expect(Object.values(own.data ?? {})[0]).not.toBeNull();
});
