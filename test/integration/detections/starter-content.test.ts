import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  checkContent,
  checkPacks,
  type ContentItem,
  createSandboxPool,
  hasTests,
  type ItemOutcome,
  loadContentDirectory,
  runTests,
} from '#detections';
import { managedSchemas } from '#ingestion';
import { openWalls } from '../../support/sandboxes.ts';

const { items, problems } = await loadContentDirectory(path.resolve('content'));
const pool = createSandboxPool({ ...(await openWalls()), limits: { loadTimeoutMs: 60_000 } });
const outcomes = new Map<string, ItemOutcome>();
for await (const outcome of runTests({ sandbox: pool, tenantId: 't' }, items, items, { minimumTests: 3 }))
  outcomes.set(outcome.id, outcome);
afterAll(() => pool.close());

const detections = items.filter(hasTests);
const text = (item: ContentItem, key: string): unknown => (item.spec as Record<string, unknown>)[key];

test('every file of the starter content is read, loads, and goes with the others', () => {
  expect(problems).toEqual([]);
  expect(checkContent(items)).toEqual([]);
  expect(checkPacks(items, new Set(items.map(({ id }) => id)))).toEqual([]);
  expect([...outcomes.values()].filter(({ status }) => status === 'invalid')).toEqual([]);
  expect(detections.length).toBeGreaterThanOrEqual(60);
});

test('every detection is in a pack and reads a log type that is shipped', () => {
  const packed = new Set(items.flatMap(({ spec }) => (spec.AnalysisType === 'pack' ? spec.PackDefinition.IDs : [])));
  expect(detections.filter(({ id }) => !packed.has(id)).map(({ id }) => id)).toEqual([]);
  const shipped = new Set(managedSchemas().keys());
  for (const { spec } of detections)
    if ('LogTypes' in spec) for (const logType of spec.LogTypes ?? []) expect(shipped).toContain(logType);
});

describe.each(detections.map((item) => [item.id, item] as const))('%s', (id, item) => {
  test('passes three tests or more, with and without a match, and says what to do and what it is about', () => {
    expect(outcomes.get(id)).toMatchObject({ status: 'passed' });
    expect(text(item, 'Runbook')).toMatch(/.{20}/);
    expect(text(item, 'Description')).toMatch(/.{20}/);
    const reports = text(item, 'Reports') as Record<string, readonly string[]> | undefined;
    expect(reports?.['MITRE ATT&CK']?.[0]).toMatch(/^TA\d{4}:T\d{4}(?:\.\d{3})?$/);
  });
});
