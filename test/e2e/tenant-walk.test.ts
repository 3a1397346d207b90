import { afterAll, expect, test, vi } from 'vitest';
import { buildSchema } from '../../graphql/schema.ts';
import { startTestDeployment } from '../support/deployment.ts';
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

type Ids = {
  alert: string;
  delivery: string;
  systemError: string;
  source: string;
  destination: string;
  detection: string;
  token: string;
  batch: string;
  user: string;
  role: string;
};
type Walk = {
  readonly query: (ids: Ids) => string;
  /** `none`: the stranger gets NOT_FOUND. `own`: a list or change of the caller's own. `null`: nothing, without an error. */
  readonly stranger: 'none' | 'own' | 'null';
};

const span = 'createdAtAfter: "2000-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z"';
const rule = (id: string) =>
  `{specification: "AnalysisType: rule\\nRuleID: ${id}\\nEnabled: true\\nFilename: x.py\\nLogTypes: [GitHub.Audit]\\nSeverity: Low\\n", body: "def rule(event):\\n    return False\\n"}`;
const httpSource = (label: string) =>
  `integrationLabel: "${label}", logTypes: ["GitHub.Audit"], logStreamType: Auto, authMethod: None`;

const walks: Readonly<Record<string, Walk>> = {
  isSignedIn: { query: () => '{ isSignedIn }', stranger: 'own' },
  alerts: { query: () => `{ alerts(input: {${span}}) { edges { node { id } } } }`, stranger: 'own' },
  alert: {
    query: ({ alert }) =>
      `{ alert(id: "${alert}") { id comments { id } deliveries { outputId } deliveryStates { id } events { edges { node } } } }`,
    stranger: 'none',
  },
  updateAlertStatusById: {
    query: ({ alert }) =>
      `mutation { updateAlertStatusById(input: {ids: ["${alert}"], status: TRIAGED}) { alerts { id } } }`,
    stranger: 'none',
  },
  createAlertComment: {
    query: ({ alert }) => `mutation { createAlertComment(input: {alertId: "${alert}", body: "x"}) { comment { id } } }`,
    stranger: 'none',
  },
  updateAlertsAssigneeById: {
    query: ({ alert, user }) =>
      `mutation { updateAlertsAssigneeById(input: {ids: ["${alert}"], assigneeId: "${user}"}) { alerts { id assignee { email } } } }`,
    stranger: 'none',
  },
  updateAlertsAssigneeByEmail: {
    query: ({ alert }) =>
      `mutation { updateAlertsAssigneeByEmail(input: {ids: ["${alert}"], assigneeEmail: "owned@example.com"}) { alerts { id assignee { email } } } }`,
    stranger: 'none',
  },
  retryDelivery: {
    query: ({ delivery }) => `mutation { retryDelivery(input: {id: "${delivery}"}) { delivery { id } } }`,
    stranger: 'none',
  },
  systemErrors: { query: () => '{ systemErrors { edges { node { id } } } }', stranger: 'own' },
  resolveSystemError: {
    query: ({ systemError }) => `mutation { resolveSystemError(input: {id: "${systemError}"}) { id } }`,
    stranger: 'none',
  },
  destinations: { query: () => '{ destinations { id name } }', stranger: 'own' },
  createWebhookDestination: {
    query: () =>
      'mutation { createWebhookDestination(input: {name: "walk", url: "https://example.com/", severities: [LOW]}) { id } }',
    stranger: 'own',
  },
  destination: {
    query: ({ destination }) => `{ destination(id: "${destination}") { id endpoint } }`,
    stranger: 'none',
  },
  updateWebhookDestination: {
    query: ({ destination }) =>
      `mutation { updateWebhookDestination(input: {id: "${destination}", name: "walked", severities: [LOW]}) { id } }`,
    stranger: 'none',
  },
  sendTestAlert: {
    query: ({ destination }) => `mutation { sendTestAlert(input: {id: "${destination}"}) { outputId success } }`,
    stranger: 'none',
  },
  deleteDestination: {
    query: ({ destination }) => `mutation { deleteDestination(input: {id: "${destination}"}) { id } }`,
    stranger: 'none',
  },
  sources: { query: () => '{ sources { edges { node { integrationId } } } }', stranger: 'own' },
  source: { query: ({ source }) => `{ source(id: "${source}") { integrationId } }`, stranger: 'null' },
  createHttpSource: {
    query: () => `mutation { createHttpSource(input: {${httpSource('walk')}}) { logSource { integrationId } } }`,
    stranger: 'own',
  },
  updateHttpSource: {
    query: ({ source }) =>
      `mutation { updateHttpSource(input: {id: "${source}", ${httpSource('walked')}}) { logSource { integrationId } } }`,
    stranger: 'none',
  },
  deleteSource: {
    query: ({ source }) => `mutation { deleteSource(input: {id: "${source}"}) { id } }`,
    stranger: 'none',
  },
  schemas: { query: () => '{ schemas(input: {}) { edges { node { name } } } }', stranger: 'own' },
  createOrUpdateSchema: {
    query: () =>
      'mutation { createOrUpdateSchema(input: {name: "Custom.Walk", spec: "schema: Custom.Walk\\nfields:\\n  - { name: a, type: string }\\n"}) { schema { name } } }',
    stranger: 'own',
  },
  classificationFailures: {
    query: () => '{ classificationFailures(input: {from: "2000-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"}) }',
    stranger: 'own',
  },
  batch: { query: ({ batch }) => `{ batch(id: "${batch}") { id } }`, stranger: 'none' },
  replayBatch: { query: ({ batch }) => `mutation { replayBatch(input: {id: "${batch}"}) { id } }`, stranger: 'none' },
  users: { query: () => '{ users { id role { name } } }', stranger: 'own' },
  userById: { query: ({ user }) => `{ userById(id: "${user}") { id } }`, stranger: 'none' },
  userByEmail: { query: () => '{ userByEmail(email: "admin@owner.example") { id } }', stranger: 'none' },
  inviteUser: {
    query: () =>
      'mutation { inviteUser(input: {email: "walk@example.com", givenName: "W", familyName: "K", role: {kind: NAME, value: "Analyst"}}) { user { id } } }',
    stranger: 'own',
  },
  updateUser: {
    query: ({ user }) => `mutation { updateUser(input: {id: "${user}", givenName: "New"}) { user { givenName } } }`,
    stranger: 'none',
  },
  deleteUser: { query: ({ user }) => `mutation { deleteUser(input: {id: "${user}"}) { id } }`, stranger: 'none' },
  roles: { query: () => '{ roles { id name } }', stranger: 'own' },
  roleById: { query: ({ role }) => `{ roleById(id: "${role}") { id } }`, stranger: 'none' },
  roleByName: { query: () => '{ roleByName(name: "analyst") { name } }', stranger: 'own' },
  createRole: {
    query: () => 'mutation { createRole(input: {name: "Walk", permissions: ["AlertRead"]}) { role { id } } }',
    stranger: 'own',
  },
  updateRole: {
    query: ({ role }) =>
      `mutation { updateRole(input: {id: "${role}", permissions: ["AlertModify"]}) { role { permissions } } }`,
    stranger: 'none',
  },
  deleteRole: { query: ({ role }) => `mutation { deleteRole(input: {id: "${role}"}) { id } }`, stranger: 'none' },
  detections: { query: () => '{ detections { id } }', stranger: 'own' },
  detection: { query: ({ detection }) => `{ detection(id: "${detection}") { id } }`, stranger: 'none' },
  saveDetection: { query: () => `mutation { saveDetection(input: ${rule('Walk.Saved')}) { id } }`, stranger: 'own' },
  testDetection: { query: () => `mutation { testDetection(input: ${rule('Walk.Tested')}) { name } }`, stranger: 'own' },
  setDetectionEnabled: {
    query: ({ detection }) => `mutation { setDetectionEnabled(input: {id: "${detection}", isEnabled: true}) { id } }`,
    stranger: 'none',
  },
  deleteDetection: {
    query: ({ detection }) => `mutation { deleteDetection(input: {id: "${detection}"}) { id } }`,
    stranger: 'none',
  },
  apiTokens: { query: () => '{ apiTokens { id } }', stranger: 'own' },
  createAPIToken: {
    query: () => 'mutation { createAPIToken(input: {name: "walk", permissions: ["AlertRead"]}) { token { id } } }',
    stranger: 'own',
  },
  deleteAPIToken: {
    query: ({ token }) => `mutation { deleteAPIToken(input: {id: "${token}"}) { id } }`,
    stranger: 'none',
  },
  rotateAPIToken: { query: () => 'mutation { rotateAPIToken { value } }', stranger: 'own' },
  auditEvents: {
    query: () => '{ auditEvents(input: {pageSize: 100}) { edges { node { sequence targetId } } } }',
    stranger: 'own',
  },
};

const schema = buildSchema();
const names = [schema.getQueryType(), schema.getMutationType()].flatMap((type) => Object.keys(type?.getFields() ?? {}));

test('every root field has an entry in the walk', () => {
  expect(Object.keys(walks).toSorted()).toEqual(names.toSorted());
});

async function makeIds(): Promise<Ids> {
  const data = async (query: string, pick: (data: never) => string): Promise<string> => {
    const answer = await owner.ask(query);
    expect(answer.errors).toBeUndefined();
    return pick(answer.data as never);
  };
  const saved = await data(
    `mutation { saveDetection(input: ${rule('Walk.Owned')}) { id } }`,
    ({ saveDetection }: { saveDetection: { id: string } }) => saveDetection.id,
  );
  const destination = await data(
    `mutation { createWebhookDestination(input: {name: "owned", url: "${refusing.url}", severities: [INFO, LOW, MEDIUM, HIGH, CRITICAL], alertTypes: [RULE]}) { id } }`,
    (it: { createWebhookDestination: { id: string } }) => it.createWebhookDestination.id,
  );
  const source = await data(
    `mutation { createHttpSource(input: {${httpSource('owned')}}) { logSource { integrationId } } }`,
    (it: { createHttpSource: { logSource: { integrationId: string } } }) => it.createHttpSource.logSource.integrationId,
  );
  const token = await data(
    'mutation { createAPIToken(input: {name: "owned", permissions: ["AlertRead"]}) { token { id } } }',
    (it: { createAPIToken: { token: { id: string } } }) => it.createAPIToken.token.id,
  );
  const role = await data(
    'mutation { createRole(input: {name: "Owned", permissions: ["AlertRead"]}) { role { id } } }',
    (it: { createRole: { role: { id: string } } }) => it.createRole.role.id,
  );
  const user = await data(
    'mutation { inviteUser(input: {email: "owned@example.com", givenName: "O", familyName: "W", role: {kind: NAME, value: "Analyst"}}) { user { id } } }',
    (it: { inviteUser: { user: { id: string } } }) => it.inviteUser.user.id,
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
        `{ alerts(input: {${span}}) { ${nodes} } systemErrors { edges { node { id } } } }`,
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
    user,
    role,
    source,
    destination,
    detection: saved,
    token,
    batch: ((await sent.json()) as { batchId: string }).batchId,
  };
}

const ids = await makeIds();
const unknown: Ids = {
  alert: 'f'.repeat(32),
  delivery: 'e'.repeat(32),
  systemError: crypto.randomUUID(),
  source: crypto.randomUUID(),
  destination: crypto.randomUUID(),
  detection: 'No.Such',
  token: crypto.randomUUID(),
  batch: crypto.randomUUID(),
  user: crypto.randomUUID(),
  role: crypto.randomUUID(),
};
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

const withoutIds = (text: string, used: Ids): string =>
  Object.values(used).reduce((result, id) => result.replaceAll(id, '<id>'), text);

test.each(order)('%s', async (name) => {
  const walk = walks[name];
  if (walk === undefined) throw new Error('no entry');
  const foreign = await stranger.ask(walk.query(ids));
  const text = JSON.stringify(foreign);
  if (walk.stranger === 'none') {
    expect(foreign.errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    const nothing = await stranger.ask(walk.query(unknown));
    expect(withoutIds(text, ids)).toBe(withoutIds(JSON.stringify(nothing), unknown));
  } else {
    expect(foreign.errors).toBeUndefined();
    for (const id of Object.values(ids)) expect(text).not.toContain(id);
    if (walk.stranger === 'null') expect(Object.values(foreign.data ?? {})).toEqual([null]);
  }
  const own = await owner.ask(walk.query(ids));
  expect(own.errors).toBeUndefined();
  expect(Object.values(own.data ?? {})[0]).not.toBeNull();
});
