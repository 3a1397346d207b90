import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createAlertIntake } from '#alerts';
import { createEvaluator, createSandboxPool, sweepCache } from '#detections';
import { systemClock } from '#platform/clock';
import { createLocalObjectStore } from '#platform/objects';
import { itemOf, parseSpec } from '../../../src/detections/content/content-item.ts';
import { saveDetections } from '../../../src/detections/detection-store.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openWalls } from '../../support/sandboxes.ts';

vi.setConfig({ testTimeout: 240_000 });
const folder = await mkdtemp(path.join(tmpdir(), 'margay-cache-'));
const store = await createTestDatabase();
const { database } = store;
const objects = createLocalObjectStore(folder);
// What goes to the lake is tested elsewhere; here it goes nowhere.
const lake = { stage: async () => ({ register: async () => undefined }) };
const pool = createSandboxPool({ ...(await openWalls()), limits: { ruleTimeoutMs: 1000, chunkTimeoutMs: 1500 } });
const alerts = createAlertIntake({ clock: systemClock });
const evaluator = createEvaluator({
  database,
  sandbox: pool,
  objects,
  lake,
  systemErrors: { record: () => Promise.resolve() },
  alerts,
});
afterAll(async () => {
  await pool.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const imports = 'from panther_detection_helpers.caching import *\n';
const save = (tenantId: string, id: string, body: string) => {
  const parsed = parseSpec(
    `AnalysisType: rule\nRuleID: ${id}\nFilename: x.py\nEnabled: true\nLogTypes: [T]\nSeverity: Low\n`,
  );
  if (!('spec' in parsed)) throw new Error(JSON.stringify(parsed));
  return database.withTenant(tenantId, (tx) =>
    saveDetections({ tx, changedBy: { kind: 'system', id: 'system', name: 'test' } }, [
      itemOf(parsed.spec, imports + body),
    ]),
  );
};
const evaluatedAt = new Date('2026-06-01T12:00:00Z');
const batchOf = async (tenantId: string, lines: number, at = evaluatedAt) => ({
  tenantId,
  batchId: randomUUID(),
  contentRevision: await evaluator.currentRevision(tenantId),
  evaluatedAt: at,
  receivedAt: at,
  traceId: '0'.repeat(32),
  logs: [
    {
      logType: 'T',
      rows: Buffer.from(
        Array.from({ length: lines }, (_, n) => `{"n":${n},"p_row_id":"${n}","p_event_time":"2026-06-01"}\n`).join(''),
      ),
    },
  ],
});
const items = (tenantId: string) =>
  database.withTenant(tenantId, (tx) =>
    tx.query<{ key: string; count: string; strings: string[]; dictionary: string | null; expires_at: Date }>(
      'SELECT key, count, strings, dictionary, expires_at FROM detection_cache ORDER BY key',
    ),
  );
const titles = async (tenantId: string) =>
  (
    await database.withTenant(tenantId, (tx) => tx.query<{ title: string }>('SELECT title FROM alerts ORDER BY title'))
  ).map((row) => row.title);

test('a counter goes on from batch to batch, and a batch that is tried again has counted once', async () => {
  const tenantId = await createTenant(database);
  await save(
    tenantId,
    'Count',
    'def rule(event):\n    global seen\n    seen = increment_counter("logins", 1, 3600)\n    return seen >= 5\ndef title(event):\n    return f"seen {seen}"\n',
  );
  const first = await batchOf(tenantId, 3);
  await evaluator.evaluate(first);
  await evaluator.evaluate(first);
  expect(await items(tenantId)).toMatchObject([{ key: 'logins', count: '3' }]);
  await evaluator.evaluate(await batchOf(tenantId, 3));
  expect(await items(tenantId)).toMatchObject([
    { key: 'logins', count: '6', expires_at: new Date(evaluatedAt.getTime() + 3_600_000) },
  ]);
  expect(await titles(tenantId)).toEqual(['seen 5', 'seen 6']);
  await evaluator.evaluate(await batchOf(tenantId, 1, new Date(evaluatedAt.getTime() + 3_600_000)));
  expect(await items(tenantId)).toMatchObject([{ key: 'logins', count: '1' }]);
});

test('string sets and dictionaries are remembered, and what is emptied is gone', async () => {
  const tenantId = await createTenant(database);
  await save(
    tenantId,
    'Remember',
    `def rule(event):
    known = get_string_set("known")
    before = get_dictionary("last")
    if event.get("n") == 9:
        reset_string_set("known")
        put_dictionary("last", {"n": 9, "text": "ünï"})
        return False
    add_to_string_set("known", f"n{event.get('n')}")
    remove_from_string_set("known", ["n0"])
    put_dictionary("last", {"n": event.get("n"), "before": before.get("n")})
    return False
`,
  );
  await evaluator.evaluate(await batchOf(tenantId, 3));
  const [known, last] = await items(tenantId);
  expect(known?.strings.toSorted()).toEqual(['n1', 'n2']);
  expect(JSON.parse(last?.dictionary ?? '')).toEqual({ n: 2, before: 1 });
  await evaluator.evaluate(await batchOf(tenantId, 10));
  expect(await items(tenantId)).toMatchObject([{ key: 'last' }]);
});

test('one tenant never sees what another has cached', async () => {
  const [one, two] = [await createTenant(database), await createTenant(database)];
  await save(one, 'Put', 'def rule(event):\n    put_string_set("secret", ["of one"])\n    return False\n');
  await save(two, 'Get', 'def rule(event):\n    return bool(get_string_set("secret")) or get_counter("secret") != 0\n');
  await evaluator.evaluate(await batchOf(one, 1));
  expect(await evaluator.evaluate(await batchOf(two, 1))).toEqual({ matches: 0, ruleErrors: 0 });
  expect(await items(one)).toHaveLength(1);
});

test('a rule that crashes after it has counted has not counted, and the others have', async () => {
  const tenantId = await createTenant(database);
  await save(tenantId, 'Good', 'def rule(event):\n    increment_counter("good")\n    return False\n');
  await save(
    tenantId,
    'Crash',
    'import os\ndef rule(event):\n    increment_counter("crash")\n    if event.get("n") == 1:\n        os._exit(1)\n    return False\n',
  );
  const { ruleErrors } = await evaluator.evaluate(await batchOf(tenantId, 3));
  expect(ruleErrors).toBe(1);
  expect(await items(tenantId)).toMatchObject([{ key: 'good', count: '3' }]);
});

const refused: readonly (readonly [string, string])[] = [
  ['a key that is empty', 'increment_counter("")'],
  ['a key of a mebibyte', 'increment_counter("k" * 2**20)'],
  ['a key with a NUL', 'increment_counter("a\\0b")'],
  ['a string with a NUL', 'put_string_set("k", ["a\\0b"])'],
  ['a set that is too large', 'put_string_set("k", [str(n) * 10 for n in range(20000)])'],
  ['a dictionary that is too large', 'put_dictionary("k", {"a": "x" * 500_000})'],
  ['a dictionary that is no dictionary', 'put_dictionary("k", [1])'],
  ['a dictionary that is not JSON', 'put_dictionary("k", {"a": object()})'],
  ['more keys than a batch may use', '[get_counter(str(n)) for n in range(10_001)]'],
  ['a counter beyond what is exact', 'increment_counter("k", 2**60)'],
];

test('what does not fit is an error of the rule, and nothing of it is kept', async () => {
  const tenantId = await createTenant(database);
  for (const [index, [, code]] of refused.entries())
    await save(tenantId, `Refused.${index}`, `def rule(event):\n    ${code}\n    return False\n`);
  const { ruleErrors } = await evaluator.evaluate(await batchOf(tenantId, 1));
  expect(ruleErrors).toBe(refused.length);
  expect(await items(tenantId)).toEqual([]);
});

test('expired items are swept, live ones stay', async () => {
  const tenantId = await createTenant(database);
  await save(
    tenantId,
    'Both',
    'def rule(event):\n    increment_counter("short", 1, 10)\n    increment_counter("long", 1, 1000)\n    return False\n',
  );
  await evaluator.evaluate(await batchOf(tenantId, 1));
  const later = new Date(evaluatedAt.getTime() + 60_000);
  await database.withSystem('test sweeps', (tx) => sweepCache(tx, later));
  expect((await items(tenantId)).map((item) => item.key)).toEqual(['long']);
});
