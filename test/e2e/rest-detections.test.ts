import { afterAll, expect, test } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';
import { field, idOf, restAs, results } from '../support/rest.ts';

/** Detections of every type, globals and data models over REST; every answer is checked against the API document. */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
afterAll(() => deployment.stop());

const own = restAs(deployment.url, owner.token);
const foreign = restAs(deployment.url, stranger.token);

test('rules: tests run first, PUT makes and replaces, what was read can be sent back', async () => {
  const body = {
    id: 'Rest.Rule One',
    body: 'def rule(event):\n    return event.get("action") == "x"\n',
    severity: 'HIGH',
    enabled: true,
    logTypes: ['GitHub.Audit'],
    tags: ['Rest'],
    tests: [{ name: 'hit', expectedResult: true, resource: '{"action":"x"}' }],
  };
  const wrong = { ...body, tests: [{ name: 'miss', expectedResult: true, log: { action: 'y' } }] };
  const refused = await own('rule#create', { body: wrong });
  expect(refused).toMatchObject({ status: 400, body: { testResults: [{ name: 'miss', passed: false }] } });
  expect((await own('rule#create', { body, query: 'run-tests-only=true' })).status).toBe(204);
  const params = { id: body.id };
  expect((await own('rule#get', { params })).status).toBe(404);
  expect(await own('rule#put', { params, body })).toMatchObject({ status: 201 });
  expect((await own('rule#create', { body })).status).toBe(409);
  const read = await own('rule#get', { params });
  expect(read).toMatchObject({
    body: { tests: [{ log: { action: 'x' }, resource: '{"action":"x"}' }], severity: 'HIGH' },
  });
  const disabled = { ...(read.body as object), enabled: false };
  expect(await own('rule#put', { params, body: disabled, query: 'run-tests-first=false' })).toMatchObject({
    status: 200,
    body: { enabled: false },
  });
  expect(
    results(await own('rule#list', { query: 'state=disabled&tag=rest&severity=HIGH&log-type=GitHub.Audit' })),
  ).toHaveLength(1);
  const first = await own('rule#list', { query: 'limit=1' });
  expect(results(await own('rule#list', { query: `limit=1&cursor=${idOf(first, 'next')}` }))).toHaveLength(1);
  expect((await foreign('rule#get', { params })).status).toBe(404);
  expect((await foreign('rule#delete', { params })).status).toBe(404);
  expect((await own('rule#delete', { params })).status).toBe(204);
});

const cases = [
  {
    name: 'scheduled rule',
    body: {
      id: 'Rest.Scheduled',
      body: 'def rule(event):\n    return event.get("action") == "x"\n',
      scheduledQueries: ['Some query'],
      threshold: 3,
    },
    good: { name: 'hit', expectedResult: true, log: { action: 'x' } },
    bad: { name: 'miss', expectedResult: true, log: { action: 'y' } },
    filters: 'scheduled-query=Some%20query&scheduled-query=Other',
    empty: 'scheduled-query=Other',
    result: { name: 'miss', passed: false, errored: false, functions: { detection: { output: 'false' } } },
  },
  {
    name: 'simple rule',
    body: {
      id: 'Rest.Simple',
      detection: '- Key: action\n  Condition: Equals\n  Value: x\n',
      logTypes: ['GitHub.Audit'],
      alertTitle: 'By {actor}',
      groupBy: '- Key: actor\n',
      dynamicSeverities: '- ChangeTo: High\n  Conditions:\n    - Condition: AlwaysTrue\n',
      alertContext: '- KeyName: who\n  KeyValue:\n    Key: actor\n',
      inlineFilters: '- KeyPath: repo\n  Condition: Equals\n  Value: a/b\n',
    },
    good: { name: 'hit', expectedResult: true, log: { action: 'x', repo: 'a/b', actor: 'me' } },
    bad: { name: 'miss', expectedResult: true, log: { action: 'x', repo: 'other' } },
    filters: 'log-type=GitHub.Audit&include-python=true',
    empty: 'log-type=Nobody.Logs',
    result: { name: 'miss', passed: false, errored: false },
  },
  {
    name: 'policy',
    body: {
      id: 'Rest.Policy',
      body: 'def policy(resource):\n    return resource.get("Name") == "x"\n',
      resourceTypes: ['AWS.S3.Bucket'],
      suppressions: ['aws::s3::*'],
    },
    good: { name: 'hit', expectedResult: true, resource: '{"Name":"x"}' },
    bad: { name: 'miss', expectedResult: true, log: { Name: 'y' } },
    filters: 'resource-type=AWS.S3.Bucket',
    empty: 'compliance-status=PASS',
    result: { name: 'miss', passed: false },
  },
  {
    name: 'correlation rule',
    body: {
      id: 'Rest.Correlation',
      detection:
        '- Sequence:\n    - ID: first\n      RuleID: Rest.Base\n    - ID: then\n      RuleID: Rest.Derived\n  Transitions:\n    - From: first\n      To: then\n      Match:\n        - On: p_alert_context.user\n  Schedule:\n    RateMinutes: 15\n    TimeoutMinutes: 5\n',
      threshold: 1,
    },
    good: {
      name: 'hit',
      expectedResult: true,
      ruleOutputs: [
        { id: 'first', matches: { 'p_alert_context.user': { me: [0] } } },
        { id: 'then', matches: { 'p_alert_context.user': { me: [1] } } },
      ],
    },
    bad: {
      name: 'miss',
      expectedResult: true,
      ruleOutputs: [{ id: 'first', matches: { 'p_alert_context.user': { me: [0] } } }],
    },
    filters: 'name-contains=corRELATION',
    empty: 'name-contains=nothing',
    result: { name: 'miss', passed: false, error: expect.stringContaining('expected a match') },
  },
] as const;

test.each(cases)('$name: made, tested, read, sent back, found, deleted', async (it) => {
  const common = { severity: 'MEDIUM', enabled: true, displayName: `The ${it.name} correlation`, tags: ['Rest'] };
  const body = { ...common, reports: { 'MITRE ATT&CK': ['TA0001:T1078'] }, ...it.body, tests: [it.good] };
  const params = { id: body.id };
  const refused = await own(`${it.name}#create`, { body: { ...body, tests: [it.good, it.bad] } });
  expect(refused).toMatchObject({ status: 400, body: { testResults: [{ passed: true }, it.result] } });
  expect((await own(`${it.name}#put`, { params, body, query: 'run-tests-only=true' })).status).toBe(204);
  expect((await own(`${it.name}#get`, { params })).status).toBe(404);
  const made = await own(`${it.name}#create`, { body });
  const { good: _good, ...unlessTests } = it;
  expect(made).toMatchObject({
    status: 200,
    body: { ...common, ...unlessTests.body, createdBy: { type: 'api-token' } },
  });
  expect((await own(`${it.name}#create`, { body })).status).toBe(409);
  const read = await own(`${it.name}#get`, { params });
  expect(read.body).toEqual(made.body);
  const again = await own(`${it.name}#put`, { params, body: read.body });
  expect(again).toMatchObject({ status: 200, body: read.body as object });
  const wrong = await own(`${it.name}#put`, { params, body: { ...body, displayName: '<b>' } });
  expect(wrong).toMatchObject({ status: 400, body: { message: expect.stringMatching(/^displayName must not/) } });
  expect((await own(`${it.name}#put`, { params: { id: 'Other' }, body })).status).toBe(400);
  const byToken = field(made, 'createdBy') as { id: string };
  for (const [query, count] of [
    [`state=enabled&severity=MEDIUM&tag=REST&${it.filters}&created-by=${byToken.id}`, 1],
    ['created-by=nobody', 0],
    ['name-contains=100%25', 0],
    [it.empty, 0],
  ] as const)
    expect([query, results(await own(`${it.name}#list`, { query })).length]).toEqual([query, count]);
  expect((await foreign(`${it.name}#get`, { params })).status).toBe(404);
  expect((await foreign(`${it.name}#delete`, { params })).status).toBe(404);
  expect(results(await foreign(`${it.name}#list`)).map(({ id }) => id)).not.toContain(body.id);
  expect((await own(`${it.name}#delete`, { params })).status).toBe(204);
  expect((await own(`${it.name}#delete`, { params })).status).toBe(404);
});

test('a type does not see the content of another one, and cannot take its id', async () => {
  const rule = {
    id: 'Rest.Kind',
    body: 'def rule(event):\n    return False\n',
    severity: 'LOW',
    logTypes: ['GitHub.Audit'],
  };
  const simple = { id: rule.id, detection: '- Condition: AlwaysTrue\n', severity: 'LOW', logTypes: ['GitHub.Audit'] };
  const params = { id: rule.id };
  expect((await own('rule#create', { body: rule })).status).toBe(200);
  expect((await own('simple rule#get', { params })).status).toBe(404);
  expect((await own('simple rule#delete', { params })).status).toBe(404);
  expect((await own('simple rule#put', { params, body: simple })).status).toBe(400);
  expect((await own('simple rule#create', { body: simple })).status).toBe(409);
  expect((await own('global#create', { body: { id: 'Rest.Kind', body: 'x = 1' } })).status).toBe(400);
  expect((await own('rule#delete', { params })).status).toBe(204);
});

test('a correlation rule tells the log types of the rules it refers to, also of derived ones', async () => {
  const save = (yaml: string, body = '') =>
    owner.ask('mutation ($input: SaveDetectionInput!) { saveDetection(input: $input) { id } }', {
      input: { specification: yaml, body },
    });
  await save(
    'AnalysisType: rule\nRuleID: Rest.Base\nEnabled: true\nFilename: x.py\nLogTypes: [Okta.SystemLog, AWS.CloudTrail]\nSeverity: Low\nCreatedBy: somebody\nStatus: Experimental\n',
    'def rule(event):\n    return False\n',
  );
  await save('AnalysisType: rule\nRuleID: Rest.Derived\nBaseDetection: Rest.Base\nSeverity: High\n');
  const detection = 'Group: [{ RuleID: Rest.Derived }]\nSchedule: { RateMinutes: 15, TimeoutMinutes: 5 }\n';
  const made = await own('correlation rule#create', { body: { id: 'Rest.Refers', detection, severity: 'LOW' } });
  expect(made).toMatchObject({
    body: { correlationRuleReferenceIds: ['Rest.Derived'], logTypes: ['AWS.CloudTrail', 'Okta.SystemLog'] },
  });
  // What a file says and REST has no name for survives a replacement.
  const params = { id: 'Rest.Base' };
  const read = await own('rule#get', { params });
  expect(read).toMatchObject({ body: { createdByExternal: 'somebody' } });
  expect(await own('rule#put', { params, body: read.body })).toMatchObject({
    status: 200,
    body: { createdByExternal: 'somebody' },
  });
  const { data } = await owner.ask('{ detection(id: "Rest.Base") { specification } }');
  expect(JSON.stringify(data)).toContain('Experimental');
  expect((await own('rule#get', { params: { id: 'Rest.Derived' } })).status).toBe(404);
});

test('content has the permissions of its type, over REST and GraphQL', async () => {
  const made = await own('api token#create', {
    body: { name: 'logs', permissions: ['LogSourceModify', 'PolicyRead'] },
  });
  const ask = restAs(deployment.url, idOf(made, 'value'));
  const model = { id: 'Rest.Rights', logTypes: ['Custom.Rights'], mappings: [{ name: 'who', path: 'a' }] };
  expect((await ask('data model#create', { body: model })).status).toBe(200);
  expect((await ask('policy#list')).status).toBe(200);
  expect((await ask('global#list')).status).toBe(200);
  for (const id of ['rule#list', 'simple rule#list', 'scheduled rule#list', 'correlation rule#list'])
    expect([id, (await ask(id)).status]).toEqual([id, 403]);
  expect((await ask('global#put', { params: { id: 'h' }, body: { body: 'x = 1' } })).status).toBe(403);
  const headers = { 'content-type': 'application/json', 'x-api-key': idOf(made, 'value') };
  const query = '{ detections { kind } rule: detection(id: "Rest.Base") { id } }';
  const answer = await fetch(`${deployment.url}/public/graphql`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await answer.json()) as { data: unknown; errors: { extensions: { code: string } }[] };
  expect(errors[0]?.extensions.code).toBe('FORBIDDEN');
  expect(JSON.stringify(data)).not.toContain('"RULE"');
  expect((await own('data model#delete', { params: { id: model.id } })).status).toBe(204);
});

test('globals and data models', async () => {
  const made = await own('global#create', { body: { id: 'rest_helper', body: 'x = 1\n', tags: ['a'] } });
  expect(made).toMatchObject({ status: 200, body: { id: 'rest_helper', tags: ['a'] } });
  const params = { id: 'rest_helper' };
  expect(await own('global#put', { params, body: { body: 'x = 2\n' } })).toMatchObject({
    status: 200,
    body: { data: { body: 'x = 2\n' } },
  });
  expect((await foreign('global#get', { params })).status).toBe(404);
  expect((await own('global#delete', { params })).status).toBe(204);
  const model = { id: 'Rest.Model', logTypes: ['Custom.Rest'], mappings: [{ name: 'who', path: 'actor.id' }] };
  expect(await own('data model#create', { body: model })).toMatchObject({ status: 200, body: model });
  const read = await own('data model#get', { params: { id: model.id } });
  expect((await own('data model#put', { params: { id: model.id }, body: read.body })).status).toBe(200);
  expect((await own('data model#delete', { params: { id: model.id } })).status).toBe(204);
});

test('queries: found by a UUID that stays, with a schedule and mails', async () => {
  const body = {
    name: 'Rest query',
    sql: 'select 1 as one',
    description: 'what for',
    schedule: { rateMinutes: 60, timeoutMinutes: 5, disabled: true },
  };
  const made = await own('query#create', { body });
  expect(made).toMatchObject({ status: 200, body: { ...body, managed: false } });
  const params = { id: idOf(made) };
  expect(params.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect((await own('query#create', { body })).status).toBe(409);
  const changed = await own('query#update', { params, body: { ...body, sql: 'select 2 as two' } });
  expect(changed).toMatchObject({ status: 200, body: { id: params.id, sql: 'select 2 as two' } });
  expect(await own('query#get', { params })).toMatchObject({ body: { sql: 'select 2 as two' } });
  expect(results(await own('query#list', { query: 'limit=1000' })).map(({ id }) => id)).toContain(params.id);
  expect((await foreign('query#get', { params })).status).toBe(404);
  expect((await foreign('query#delete', { params })).status).toBe(404);
  expect((await own('query#get', { params: { id: body.name } })).status).toBe(404);
  expect((await own('query#delete', { params })).status).toBe(204);
  expect((await own('query#get', { params })).status).toBe(404);
});

test('a rule in YAML comes with Python that says the same, when that is asked for', async () => {
  const body = { id: 'Rest.Shown', detection: '- Key: action\n  Condition: Equals\n  Value: shown\n', severity: 'LOW' };
  expect((await own('simple rule#create', { body: { ...body, logTypes: ['GitHub.Audit'] } })).status).toBe(200);
  const params = { id: body.id };
  expect(field(await own('simple rule#get', { params }), 'pythonBody')).toBeUndefined();
  const shown = await own('simple rule#get', { params, query: 'include-python=true' });
  const python = String(field(shown, 'pythonBody'));
  expect(python).toContain('def rule(event):');
  const [listed] = results(await own('simple rule#list', { query: 'name-contains=Rest.Shown&include-python=true' }));
  expect(listed?.['pythonBody']).toBe(python);
  // As a rule of its own the Python finds the same events; sent back with the YAML it is left aside.
  const tests = [
    { name: 'hit', expectedResult: true, log: { action: 'shown' } },
    { name: 'miss', expectedResult: false, log: { action: 'other' } },
  ];
  const rule = { id: 'Rest.ShownPython', body: python, severity: 'LOW', logTypes: ['GitHub.Audit'], tests };
  expect((await own('rule#create', { body: rule })).status).toBe(200);
  expect((await own('simple rule#put', { params, body: shown.body })).status).toBe(200);
});
