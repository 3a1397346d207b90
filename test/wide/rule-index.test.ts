import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildBundle, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { createRandom } from '../../scripts/chaos/random.ts';
import { unitTests } from '../../src/detections/content/content-item.ts';
import { isRuleItem } from '../../src/detections/content/derived.ts';
import { findDifferences, patientSandbox, realCloudTrail } from '../support/differential.ts';

type Json = Readonly<Record<string, unknown>>;

const seed = Number(process.env['MARGAY_TEST_SEED'] ?? Date.now() % 1_000_000);
const milliseconds = Number(process.env['MARGAY_DIFFERENTIAL_SECONDS'] ?? 1800) * 1000;
const corpus = path.resolve(process.env['MARGAY_CORPUS_DIR'] ?? 'content');

const folder = await mkdtemp(path.join(tmpdir(), 'margay-index-'));
await chmod(folder, 0o755);
const bundle = await buildBundle(folder);
const patient = await patientSandbox(bundle, { mode: 'strict', verifyShare: 1 });
afterAll(async () => {
  patient.close();
  await rm(folder, { recursive: true, force: true });
});

test('policies of the content folder on changed resources', async () => {
  const { items } = await loadContentDirectory(corpus);
  const eventsByLogType = new Map<string, Json[]>();
  for (const { spec } of items) {
    if (spec.AnalysisType !== 'policy') continue;
    const resources = unitTests(spec).map((item) => JSON.parse(item.event) as Json);
    for (const type of spec.ResourceTypes ?? [])
      eventsByLogType.set(type, [...(eventsByLogType.get(type) ?? []), ...resources]);
  }
  const chosen = items.filter(({ kind }) => kind === 'POLICY' || kind === 'GLOBAL');
  const content = sandboxContent({ revision: 'policies', items: chosen });
  const random = createRandom(seed + 1);
  const found = await findDifferences({
    sandbox: patient.sandbox,
    content,
    eventsByLogType,
    milliseconds: milliseconds / 10,
    random,
  });
  const rules = content.rules.map(({ id }) => id);
  const explained = await patient.sandbox.explain(content, rules);
  const narrowed = explained.filter(({ witness }) => witness !== null).length;
  process.stdout.write(
    `rule index: ${rules.length} policies, ${narrowed} with a condition: ${found.pairs} pairs, ${found.matches} failed resources, ${found.errors} errors\n`,
  );
  expect(found.missed).toEqual([]);
}, 7_200_000);

test('half an hour of changed events: the index leaves out no rule of the content folder', async () => {
  const { items } = await loadContentDirectory(corpus);
  const eventsByLogType = new Map<string, Json[]>();
  for (const { spec } of items.filter(isRuleItem)) {
    const events = unitTests(spec).map((item) => JSON.parse(item.event) as Json);
    for (const logType of spec.LogTypes ?? [])
      eventsByLogType.set(logType, [...(eventsByLogType.get(logType) ?? []), ...events]);
  }
  eventsByLogType.get('AWS.CloudTrail')?.push(...realCloudTrail());
  const content = sandboxContent(evaluationContent(items));
  const random = createRandom(seed);
  const found = await findDifferences({ sandbox: patient.sandbox, content, eventsByLogType, milliseconds, random });
  process.stdout.write(
    `rule index: MARGAY_TEST_SEED=${seed}, ${corpus}: ${found.pairs} pairs, ${found.matches} matches, ${found.errors} errors\n`,
  );
  expect(found.missed).toEqual([]);
}, 7_200_000);
