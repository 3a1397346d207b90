import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import {
  buildBundle,
  createIndexMissStore,
  createSandboxPool,
  evaluationContent,
  loadContentDirectory,
  sandboxContent,
} from '#detections';
import { hashId } from '#platform/ids';
import { createLocalObjectStore } from '#platform/objects';
import { createRandom } from '../../../scripts/chaos/random.ts';
import { isRuleItem } from '../../../src/detections/content/derived.ts';
import { unitTests } from '../../../src/detections/content/content-item.ts';
import type {
  EvaluationResult,
  IndexUse,
  SandboxContent,
  SandboxRule,
} from '../../../src/detections/sandbox/sandbox-contract.ts';
import type { TenantSandbox } from '../../../src/detections/sandbox/tenant-sandbox.ts';
import { findDifferences, patientSandbox, realCloudTrail } from '../../support/differential.ts';
import { openWalls } from '../../support/sandboxes.ts';
import { helpers, trickyEvents, trickyRules } from '../../support/tricky-rules.ts';

type Json = Readonly<Record<string, unknown>>;

vi.setConfig({ testTimeout: 300_000 });
const seed = Number(process.env['MARGAY_TEST_SEED'] ?? Date.now() % 1_000_000);
const milliseconds = Number(process.env['MARGAY_DIFFERENTIAL_SECONDS'] ?? 10) * 1000;
process.stdout.write(`rule index: MARGAY_TEST_SEED=${seed}\n`);

const folder = await mkdtemp(path.join(tmpdir(), 'margay-index-'));
await chmod(folder, 0o755);
const bundle = await buildBundle(path.join(folder, 'bundle'));
const atOnce = () => Promise.resolve();
const opened: { close(): void }[] = [];
async function sandboxOf(index: IndexUse, from = bundle): Promise<TenantSandbox> {
  const patient = await patientSandbox(from, index);
  opened.push(patient);
  return patient.sandbox;
}
const sampling = await sandboxOf({ mode: 'strict', verifyShare: 1 });
afterAll(async () => {
  for (const patient of opened) patient.close();
  await rm(folder, { recursive: true, force: true });
});

type TrickyRule = Pick<SandboxRule, 'id' | 'body'> & { readonly kind: NonNullable<SandboxRule['kind']> };
function trickyRule({ id, body, kind }: TrickyRule): SandboxRule {
  const name = kind === 'policy' ? 'policy' : 'rule';
  return { id, body: `def ${name}(event):\n    ${body}\n`, kind, logTypes: ['T'], severity: 'LOW' };
}
const tricky: SandboxContent = {
  revision: hashId(helpers, ...Object.values(trickyRules)),
  globals: [{ id: 'helpers', body: helpers }],
  dataModels: [
    {
      id: 'Model.T',
      logTypes: ['T'],
      mappings: [
        { name: 'who', path: 'user.name' },
        { name: 'shout', method: 'shout' },
      ],
      body: 'def shout(event):\n    return event.get("name").upper()\n',
    },
  ],
  rules: Object.entries(trickyRules).flatMap(([id, body]) => [
    trickyRule({ id, body, kind: 'rule' }),
    trickyRule({ id: `policy: ${id}`, body, kind: 'policy' }),
    trickyRule({ id: `scheduled: ${id}`, body, kind: 'scheduled_rule' }),
  ]),
};
/** Without rules that remember: a second run of the others gives the same. */
const stateless = tricky.rules.filter(({ body }) => !body.includes('remember('));
const trickyByType = new Map<string, readonly Json[]>([['T', trickyEvents]]);

async function starterContent() {
  const { items } = await loadContentDirectory(path.resolve('content'));
  const eventsByLogType = new Map<string, Json[]>();
  for (const { spec } of items.filter(isRuleItem)) {
    const events = unitTests(spec).map((item) => JSON.parse(item.event) as Json);
    for (const logType of spec.LogTypes ?? [])
      eventsByLogType.set(logType, [...(eventsByLogType.get(logType) ?? []), ...events]);
  }
  eventsByLogType.get('AWS.CloudTrail')?.push(...realCloudTrail());
  return { content: sandboxContent(evaluationContent(items)), eventsByLogType };
}

describe('the index leaves out no rule that has something to say', () => {
  test('tricky rules on changed events, matches and errors', async () => {
    const random = createRandom(seed);
    const found = await findDifferences({
      sandbox: sampling,
      content: tricky,
      eventsByLogType: trickyByType,
      milliseconds,
      random,
    });
    expect(found.missed).toEqual([]);
    expect(found.matches).toBeGreaterThan(100);
    expect(found.errors).toBeGreaterThan(100);
  });

  test('starter content on its tests, real records and changes of both', async () => {
    const { content, eventsByLogType } = await starterContent();
    const random = createRandom(seed + 1);
    const found = await findDifferences({ sandbox: sampling, content, eventsByLogType, milliseconds, random });
    expect(found.missed).toEqual([]);
    expect(found.matches).toBeGreaterThan(10);
  });

  test('without samples the answers are those of running every rule', async () => {
    const sandbox = await sandboxOf({ mode: 'strict', verifyShare: 0 });
    const content = { ...tricky, revision: 'stateless', rules: stateless };
    const events = [...trickyEvents, ...trickyEvents].map((event) => `${JSON.stringify(event)}\n`);
    const records = Buffer.from(events.join(''));
    const evaluate = () => sandbox.evaluate(content, { logType: 'T', records }, atOnce);
    // The first chunk of a log type is a sample, on which every rule runs.
    const [every, indexed] = [await evaluate(), await evaluate()];
    const runs = (result: typeof every) => result.statistics.reduce((sum, item) => sum + item.runs, 0);
    expect(indexed.matches).toEqual(every.matches);
    expect(indexed.errors).toEqual(every.errors);
    expect(runs(indexed)).toBeLessThan(runs(every) * 0.8);
  });
});

test('where no rule can be left out every rule runs on every event', async () => {
  const sandbox = await sandboxOf({ mode: 'strict', verifyShare: 0 });
  const rules = tricky.rules.filter(({ id }) => ['loops', 'policy: loops'].includes(id));
  const content = { ...tricky, revision: 'always', rules };
  const records = Buffer.from(trickyEvents.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const sample = await sandbox.evaluate(content, { logType: 'T', records }, atOnce);
  const next = await sandbox.evaluate(content, { logType: 'T', records }, atOnce);
  expect(rules).toHaveLength(2);
  expect(next.rulesPerEvent).toEqual([0, 0, trickyEvents.length]);
  expect(next.matches).toEqual(sample.matches);
  expect(next.errors).toEqual(sample.errors);
});

/** A copy of the bundle with a change in a file of the analysis. */
async function brokenBundle(file: string, right: string, wrong: string): Promise<string> {
  const broken = path.join(folder, hashId(file, wrong));
  await cp(bundle, broken, { recursive: true });
  // The snapshot holds the analysis as it was.
  await rm(path.join(broken, 'generic.snapshot'), { force: true });
  const target = path.join(broken, 'guest/margay_index', file);
  const text = await readFile(target, 'utf8');
  expect(text).toContain(right);
  await writeFile(target, text.replace(right, wrong));
  return broken;
}

test('rules that cannot be indexed all run, and it is told why', async () => {
  const asked = 'What must hold for each rule of a log type, by number."""';
  const broken = await brokenBundle('plan.py', asked, `${asked}\n        raise LookupError("planted")`);
  const told: unknown[] = [];
  const pool = createSandboxPool({
    ...(await openWalls({ bundle: broken })),
    limits: { loadTimeoutMs: 240_000, chunkTimeoutMs: 240_000 },
    reportUnindexed: (found) => void told.push(found),
  });
  opened.push({ close: () => void pool.close() });
  const records = Buffer.from(`${JSON.stringify({ name: 'root', map: { kind: 'a' }, n: 2 })}\n`);
  const { matches } = await pool.evaluate({ tenantId: 'a', content: tricky, logType: 'T', records });
  expect(matches.map(({ ruleId }) => ruleId)).toContain('follows a helper');
  expect(told).toEqual([{ tenantId: 'a', logType: 'T', reason: expect.stringContaining('planted') }]);
});

test('a defect of the analysis is found by a sample, the rule named, and run always from then on', async () => {
  const broken = await openWalls({
    bundle: await brokenBundle(
      'operators.py',
      'return Truth(formula.of(item, "in", *scalars),',
      'return Truth(formula.of(item, "in", *scalars[1:]),',
    ),
  });
  const misses = createIndexMissStore({ objects: createLocalObjectStore(path.join(folder, 'objects')), ...broken });
  const openPool = () => {
    const limits = { loadTimeoutMs: 240_000, chunkTimeoutMs: 240_000 };
    const pool = createSandboxPool({ ...broken, limits, misses, index: { mode: 'strict', verifyShare: 0 } });
    opened.push({ close: () => void pool.close() });
    return (records: Buffer, tenantId = 'a') => pool.evaluate({ tenantId, content: tricky, logType: 'T', records });
  };
  const telling = Buffer.from(`${JSON.stringify({ name: 'root', map: { kind: 'a' }, n: 2 })}\n`);
  const matched = ({ matches }: EvaluationResult) => matches.map(({ ruleId }) => ruleId);
  const found = 'follows a helper';
  const evaluate = openPool();
  const first = await evaluate(telling);
  expect(first.indexMisses.map(({ ruleId }) => ruleId)).toContain(found);
  const second = await evaluate(telling);
  expect(second.indexMisses).toEqual([]);
  expect(matched(second)).toContain(found);

  // After a restart the first chunk is a sample again, here one that shows nothing: what was found before still counts.
  const restarted = openPool();
  const saysNothing = Buffer.from('{"n":3}\n');
  expect((await restarted(saysNothing)).indexMisses).toEqual([]);
  expect(matched(await restarted(telling))).toContain(found);

  // It counts for this tenant and this content only.
  expect(await misses.find('a', tricky.revision)).toContain(found);
  expect(await misses.find('b', tricky.revision)).toEqual([]);
  expect(await misses.find('a', 'other')).toEqual([]);
  await restarted(saysNothing, 'b');
  expect(matched(await restarted(telling, 'b'))).not.toContain(found);
});

test('authors see when a rule runs, or why it always does', async () => {
  const ruleIds = ['takes a default that matches', 'orders numbers', 'loops'];
  const policyIds = ['policy: finds in a list', 'policy: is always true', 'policy: may say nothing'];
  const [first, second, third, ...policies] = await sampling.explain(tricky, [...ruleIds, ...policyIds]);
  expect(first?.witness).toContain("kind is 'a'");
  expect(second?.witness).toContain('n');
  expect(third).toEqual({ witness: null, reasons: [expect.stringContaining('while')] });
  expect(policies.map(({ witness }) => witness)).toEqual([
    expect.stringMatching(/^kind is not/),
    'false',
    expect.stringMatching(/^kind is not/),
  ]);
});
