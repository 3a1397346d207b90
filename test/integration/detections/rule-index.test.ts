import { chmod, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { buildBundle, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { hashId } from '#platform/ids';
import { createRandom } from '../../../scripts/chaos/random.ts';
import { isRuleItem } from '../../../src/detections/content/derived.ts';
import { unitTests } from '../../../src/detections/content/content-item.ts';
import type { IndexUse, SandboxContent } from '../../../src/detections/sandbox/sandbox-contract.ts';
import type { TenantSandbox } from '../../../src/detections/sandbox/tenant-sandbox.ts';
import { findDifferences, patientSandbox, realCloudTrail } from '../../support/differential.ts';
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
  rules: Object.entries(trickyRules).map(([id, body]) => ({
    id,
    body: `def rule(event):\n    ${body}\n`,
    kind: 'rule' as const,
    logTypes: ['T'],
    severity: 'LOW',
  })),
};
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
    const rules = tricky.rules.filter((rule) => rule.id !== 'remembers');
    const content = { ...tricky, revision: 'stateless', rules };
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

test('a defect of the analysis is found by a sample, the rule named, and run always from then on', async () => {
  const broken = path.join(folder, 'broken');
  await cp(bundle, broken, { recursive: true });
  // The snapshot holds the analysis as it was.
  await rm(path.join(broken, 'generic.snapshot'), { force: true });
  const file = path.join(broken, 'guest/margay_index/operators.py');
  const text = await readFile(file, 'utf8');
  const defect = text.replace(
    'return Truth(formula.of(item, "in", *scalars),',
    'return Truth(formula.of(item, "in", *scalars[1:]),',
  );
  expect(defect).not.toBe(text);
  await writeFile(file, defect);
  const sandbox = await sandboxOf({ mode: 'strict', verifyShare: 0 }, broken);
  const records = Buffer.from(`${JSON.stringify({ name: 'root', map: { kind: 'a' }, n: 2 })}\n`);
  const first = await sandbox.evaluate(tricky, { logType: 'T', records }, atOnce);
  expect(first.indexMisses.map((miss) => miss.ruleId)).toContain('follows a helper');
  const second = await sandbox.evaluate(tricky, { logType: 'T', records }, atOnce);
  expect(second.indexMisses).toEqual([]);
  expect(second.matches.map((match) => match.ruleId)).toContain('follows a helper');
});

test('authors see when a rule runs, or why it always does', async () => {
  const ruleIds = ['takes a default that matches', 'orders numbers', 'loops'];
  const [first, second, third] = await sampling.explain(tricky, ruleIds);
  expect(first?.witness).toContain("kind is 'a'");
  expect(second?.witness).toContain('n');
  expect(third).toEqual({ witness: null, reasons: [expect.stringContaining('while')] });
});
