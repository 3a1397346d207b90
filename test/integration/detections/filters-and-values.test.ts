import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createAlertIntake } from '#alerts';
import { createEvaluator, createSandboxPool } from '#detections';
import { systemClock } from '#platform/clock';
import { createLocalObjectStore } from '#platform/objects';
import { itemOf, parseSpec } from '../../../src/detections/content/content-item.ts';
import { saveDetections } from '../../../src/detections/detection-store.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openWalls } from '../../support/sandboxes.ts';

vi.setConfig({ testTimeout: 240_000 });
const folder = await mkdtemp(path.join(tmpdir(), 'margay-values-'));
const store = await createTestDatabase();
const { database } = store;
const pool = createSandboxPool({ ...(await openWalls()), limits: { chunkRecords: 3 } });
const evaluator = createEvaluator({
  database,
  sandbox: pool,
  objects: createLocalObjectStore(folder),
  lake: { stage: async () => ({ register: async () => undefined }) },
  systemErrors: { record: () => Promise.resolve() },
  alerts: createAlertIntake({ clock: systemClock }),
});
afterAll(async () => {
  await pool.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const save = (tenantId: string, id: string, body: string, more: string) => {
  const parsed = parseSpec(
    `AnalysisType: rule\nRuleID: ${id}\nFilename: x.py\nEnabled: true\nLogTypes: [T]\nSeverity: Low\n${more}`,
  );
  if (!('spec' in parsed)) throw new Error(JSON.stringify(parsed));
  return database.withTenant(tenantId, (tx) =>
    saveDetections({ tx, changedBy: { kind: 'system', id: 'system', name: 'test' } }, [itemOf(parsed.spec, body)]),
  );
};

const at = new Date('2026-06-01T12:00:00Z');
async function evaluate(tenantId: string, events: readonly object[]) {
  const lines = events.map(
    (event) => `${JSON.stringify({ ...event, p_row_id: randomUUID(), p_event_time: '2026-06-01' })}\n`,
  );
  return evaluator.evaluate({
    tenantId,
    batchId: randomUUID(),
    contentRevision: await evaluator.currentRevision(tenantId),
    evaluatedAt: at,
    receivedAt: at,
    traceId: '0'.repeat(32),
    logs: [{ logType: 'T', rows: Buffer.from(lines.join('')) }],
  });
}
const counts = (tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.query<{ title: string; event_count: string }>('SELECT title, event_count FROM alerts ORDER BY title'),
  );

test('a rule is never called with an event that its filters keep from it', async () => {
  const tenantId = await createTenant(database);
  await save(
    tenantId,
    'Filtered',
    `from panther_detection_helpers.caching import add_to_string_set
def rule(event):
    if event.get("env") != "prod":
        raise ValueError("called with " + str(event.get("env")))
    add_to_string_set("seen", str(event.get("n")))
    return event.get("n") > 5
`,
    'InlineFilters:\n  - KeyPath: env\n    Condition: Equals\n    Value: prod\n',
  );
  await save(tenantId, 'Open', 'def rule(event):\n    return event.get("n") == 4\n', '');
  const events = Array.from({ length: 8 }, (_, n) => ({ n, env: n % 2 === 0 ? 'test' : 'prod' }));
  expect(await evaluate(tenantId, events)).toEqual({ matches: 2, ruleErrors: 0 });
  const [seen] = await database.withTenant(tenantId, (tx) =>
    tx.query<{ strings: string[] }>('SELECT strings FROM detection_cache'),
  );
  expect(seen?.strings.toSorted()).toEqual(['1', '3', '5', '7']);
});

test('a threshold counts what unique says, over batches; without it, or when it fails, events count', async () => {
  const tenantId = await createTenant(database);
  const rule = 'def rule(event):\n    return True\ndef dedup(event):\n    return "one"\n';
  const threshold = 'Threshold: 3\n';
  await save(tenantId, 'Users', `${rule}def unique(event):\n    return event.get("user")\n`, threshold);
  await save(tenantId, 'Events', rule, threshold);
  await save(tenantId, 'Broken', `${rule}def unique(event):\n    raise KeyError("no")\n`, threshold);
  await evaluate(tenantId, [{ user: 'ada' }, { user: 'ada' }, { user: 'bob' }, { user: 'ada' }]);
  expect(await counts(tenantId)).toEqual([
    { title: 'Broken', event_count: '4' },
    { title: 'Events', event_count: '4' },
  ]);
  await evaluate(tenantId, [{ user: 'bob' }, { user: 'eve' }]);
  expect(await counts(tenantId)).toEqual([
    { title: 'Broken', event_count: '6' },
    { title: 'Events', event_count: '6' },
    { title: 'Users', event_count: '6' },
  ]);
});

test('with a threshold of one, a match whose unique says nothing is an alert all the same', async () => {
  const tenantId = await createTenant(database);
  await save(tenantId, 'Nothing', 'def rule(event):\n    return True\ndef unique(event):\n    return None\n', '');
  expect(await evaluate(tenantId, [{}, {}])).toEqual({ matches: 2, ruleErrors: 0 });
  expect(await counts(tenantId)).toEqual([{ title: 'Nothing', event_count: '2' }]);
});
