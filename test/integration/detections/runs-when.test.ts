import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { execute, parse } from 'graphql';
import { afterAll, expect, test, vi } from 'vitest';
import { type Actor, systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { commands } from '#cli';
import { createDetectionService, createSandboxPool, createTestingService } from '#detections';
import { systemClock } from '#platform/clock';
import { createContext, type Services } from '../../../graphql/context.ts';
import { buildSchema } from '../../../graphql/schema.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openWalls } from '../../support/sandboxes.ts';

/** Authors see when the index lets their rules run: in the terminal and over GraphQL. */

vi.setConfig({ testTimeout: 240_000 });
const { database, close } = await createTestDatabase();
const sandbox = createSandboxPool({ ...(await openWalls()), limits: { loadTimeoutMs: 120_000 } });
const folder = await mkdtemp(path.join(tmpdir(), 'margay-runs-when-'));
afterAll(async () => {
  await sandbox.close();
  await close();
  await rm(folder, { recursive: true, force: true });
});

const head = (kind: string, id: string, more: string) =>
  `AnalysisType: ${kind}\n${kind === 'policy' ? 'PolicyID' : 'RuleID'}: ${id}\nEnabled: true\nFilename: ${id}.py\nSeverity: Low\n${more}\n`;
const content = {
  narrow: {
    yaml: head('rule', 'narrow', 'LogTypes: [X]'),
    python: 'def rule(event):\n    return event.get("action") in ("create", "delete") and bool(event.get("by"))\n',
  },
  wide: {
    yaml: head('rule', 'wide', 'LogTypes: [X]'),
    python: 'def rule(event):\n    while True:\n        return event.get("action") == "create"\n',
  },
  certain: { yaml: head('rule', 'certain', 'LogTypes: [X]'), python: 'def rule(_):\n    return True\n' },
  failing: {
    yaml: head('rule', 'failing', 'LogTypes: [X]'),
    python: 'def rule(event):\n    number = int(str(event))\n    return number == 1\n',
  },
  idle: {
    yaml: head('rule', 'idle', 'LogTypes: [X]'),
    python: 'def rule(event):\n    int(str(event))\n    return False\n',
  },
  silent: { yaml: head('rule', 'silent', 'LogTypes: [X]'), python: 'def rule(_):\n    return None\n' },
  unclear: {
    yaml: head('policy', 'unclear', 'ResourceTypes: [AWS.S3.Bucket]'),
    python:
      'def policy(resource):\n    if resource.get("isPublic"):\n        return False\n    return not resource.get("isPublic") and str(resource)[0] == "{"\n',
  },
  never: { yaml: head('rule', 'never', 'LogTypes: [X]'), python: 'def rule(event):\n    return False\n' },
  policy: {
    yaml: head('policy', 'policy', 'ResourceTypes: [AWS.S3.Bucket]'),
    python: 'def policy(resource):\n    return resource.get("isPublic") is False\n',
  },
};
const actionWitness = "action is one of 'create', 'delete'";
const ofWide = 'line 2: a while loop';
const simple =
  'AnalysisType: rule\nRuleID: simple\nEnabled: true\nLogTypes: [X]\nSeverity: Low\nDetection: [{Condition: AlwaysTrue}]\n';

async function runTest(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const command = commands.find(({ name }) => name === 'test');
  const host = { nodePath: process.execPath, uid: process.getuid?.() };
  const code = await command?.run(['--path', folder, ...args], {
    environment: {},
    host,
    say: (line) => void lines.push(line),
  });
  return { code: code ?? -1, lines };
}

test('margay test --explain says of each rule and policy when it runs, as lines and as JSON', async () => {
  for (const [name, { yaml, python }] of Object.entries(content)) {
    await writeFile(path.join(folder, `${name}.yml`), yaml);
    await writeFile(path.join(folder, `${name}.py`), python);
  }
  const text = await runTest('--explain');
  expect(text.code).toBe(0);
  const lineOf = (id: string) => text.lines.find((line) => line.startsWith(`${id}: `));
  expect(lineOf('narrow')).toBe(`narrow: runs only when ${actionWitness}`);
  expect(lineOf('wide')).toMatch(/^wide: runs on every event, because line 2: a while loop$/);
  expect(lineOf('certain')).toBe('certain: runs on every event, because it says True to every event');
  expect(lineOf('failing')).toMatch(/^failing: runs on every event, because .*line 2 may fail on any event/);
  expect(lineOf('idle')).toBe('idle: runs on every event, because line 2 may fail on any event');
  expect(lineOf('silent')).toBe('silent: runs on every event, because it returns None to every event');
  expect(lineOf('unclear')).toMatch(/because line 3 says False; line 4 returns what cannot be told from fields/);
  expect(lineOf('never')).toBe('never: never runs, because it can neither match nor fail');
  expect(lineOf('policy')).toContain('policy: runs only when isPublic');

  const json = await runTest('--explain', '--json');
  const { runsWhen } = JSON.parse(json.lines.at(-1) ?? '{}') as { runsWhen: { id: string }[] };
  expect(runsWhen).toHaveLength(9);
  expect(runsWhen).toContainEqual({ id: 'narrow', witness: actionWitness, reasons: [] });
  expect(runsWhen).toContainEqual({ id: 'wide', witness: null, reasons: [ofWide] });

  const silent = await runTest('--json');
  expect(JSON.parse(silent.lines.at(-1) ?? '{}')).not.toHaveProperty('runsWhen');
});

test('detectionRunsWhen says it of what a tenant has saved, to who may read it', async () => {
  const audit = createAuditRecorder({ database, clock: systemClock });
  const deps = { database, audit, sandbox };
  const detections = createDetectionService(deps);
  const services = { testing: createTestingService(deps) } as Partial<Services> as Services;
  const actor = systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
  for (const { yaml, python } of Object.values(content))
    await detections.save(actor, { specification: yaml, body: python });
  await detections.save(actor, { specification: simple, body: '' });
  const schema = buildSchema();
  const ask = (id: string, asking: Actor = actor) =>
    execute({
      schema,
      document: parse('query When($id: ID!) { detectionRunsWhen(id: $id) { witness reasons } }'),
      variableValues: { id },
      contextValue: createContext(asking, services),
    });
  const runsWhen = async (id: string) => (await ask(id)).data?.['detectionRunsWhen'];
  expect(await runsWhen('narrow')).toEqual({ witness: actionWitness, reasons: [] });
  expect(await runsWhen('wide')).toEqual({ witness: null, reasons: [ofWide] });
  expect(await runsWhen('policy')).toEqual({ witness: expect.stringContaining('isPublic'), reasons: [] });
  expect(await runsWhen('simple')).toEqual({ witness: null, reasons: [expect.stringContaining('no Python')] });

  const stranger = systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
  expect((await ask('narrow', stranger)).errors).toHaveLength(1);
  const ofRules: Actor = { ...actor, permissions: new Set(['RuleRead']) };
  expect((await ask('narrow', ofRules)).data).toBeTruthy();
  expect((await ask('policy', ofRules)).errors).toHaveLength(1);
});
