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
