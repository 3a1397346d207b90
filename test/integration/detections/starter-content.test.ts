import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { createSandboxPool, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { openWalls } from '../../support/sandboxes.ts';
import { unitTests } from '../../../src/detections/content/content-item.ts';
import { isRuleItem } from '../../../src/detections/content/derived.ts';

const { items, problems } = await loadContentDirectory(path.resolve('content'));
const pool = createSandboxPool(await openWalls());
const content = sandboxContent(evaluationContent(items));
afterAll(() => pool.close());

test('every file of the starter content is read and loads', async () => {
  expect(problems).toEqual([]);
  expect(await pool.check({ tenantId: 't', content })).toEqual([]);
  expect(items.filter((item) => item.kind === 'RULE').length).toBeGreaterThanOrEqual(10);
});

const rules = items.filter(isRuleItem).map((item) => [item.id, item.spec] as const);

describe.each(rules)('%s', (id, spec) => {
  test('passes its own tests, of which there are three or more, with and without a match', async () => {
    const tests = unitTests(spec);
    const results = await pool.test({ tenantId: 't', content, ruleId: id, tests });
    expect(results.filter((result) => !result.passed)).toEqual([]);
    expect(results.length).toBeGreaterThanOrEqual(3);
    expect(new Set(tests.map((item) => item.expectedResult)).size).toBe(2);
  });
});
