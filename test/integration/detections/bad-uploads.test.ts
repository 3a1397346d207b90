import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createDetectionService, createSandboxPool, createUploadService, writeZip } from '#detections';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createLocalObjectStore } from '#platform/objects';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openWalls } from '../../support/sandboxes.ts';

vi.setConfig({ testTimeout: 240_000 });
const { database, close } = await createTestDatabase();
const folder = await mkdtemp(path.join(tmpdir(), 'margay-bad-'));
const sandbox = createSandboxPool({ ...(await openWalls()), limits: { loadTimeoutMs: 20_000 } });
const audit = createAuditRecorder({ database, clock: systemClock });
const deps = { database, audit, sandbox, objects: createLocalObjectStore(folder), ids: systemIds };
const detections = createDetectionService(deps);
const uploads = createUploadService(deps);
afterAll(async () => {
  await sandbox.close();
  await close();
  await rm(folder, { recursive: true, force: true });
});

const newActor = async () => systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
const yaml = (id: string, file = 'r.py') =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: ${file}\nLogTypes: [X]\nSeverity: Low\n`;
const good = 'def rule(event):\n    return True\n';
const zipOf = (files: Readonly<Record<string, string>>): Buffer =>
  writeZip(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) })));
const failure = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) =>
      error instanceof Error ? `${error.message} ${(error as { publicMessage?: string }).publicMessage ?? ''}` : '',
  );

/** A rule with a comment that does not shrink much. */
const bodyOf = (length: number): string => {
  const noise = Array.from({ length: 4000 }, (_, n) => createHash('sha512').update(String(n)).digest('base64'));
  return `${good}# ${noise.join('').repeat(3)}`.slice(0, length);
};

/** A YAML text that would unfold into 10^9 items. */
const bomb = ['a: &a [x,x,x,x,x,x,x,x,x,x]']
  .concat(
    Array.from({ length: 9 }, (_, n) => {
      const [own, before] = [String.fromCharCode(98 + n), String.fromCharCode(97 + n)];
      return `${own}: &${own} [${Array.from({ length: 10 }, () => `*${before}`).join(',')}]`;
    }),
  )
  .join('\n');

describe('an upload with one bad file saves nothing, says which file and why, and what was saved before goes on', () => {
  test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
    [
      'a syntax error',
      { 'rules/a.yml': yaml('B.A', 'a.py'), 'rules/a.py': 'def rule(event:\n    return True\n' },
      /"rules\/a\.py"[\s\S]*line 1[\s\S]*def rule\(event:[\s\S]*\^/,
    ],
    [
      'a module that raises in what it imports',
      {
        'lib/h.yml': 'AnalysisType: global\nGlobalID: h\nFilename: h.py\n',
        'lib/h.py': 'def limit(text):\n    return int(text)\n',
        'rules/a.yml': yaml('B.A', 'a.py'),
        'rules/a.py': `import h\nLIMIT = h.limit("many")\n${good}`,
      },
      /"rules\/a\.py"[\s\S]*line 2: ValueError[\s\S]*\(lib\/h\.py, line 2, in limit\)/,
    ],
    [
      'a rule without a function of that name',
      { 'rules/a.yml': yaml('B.A', 'a.py'), 'rules/a.py': 'def rules(event):\n    return True\n' },
      /"rules\/a\.py"[\s\S]*no function named rule/,
    ],
    [
      'a circular import',
      {
        'one.yml': 'AnalysisType: global\nGlobalID: one\nFilename: one.py\n',
        'one.py': 'from two import b\na = 1\n',
        'two.yml': 'AnalysisType: global\nGlobalID: two\nFilename: two.py\n',
        'two.py': 'from one import a\nb = 1\n',
        'a.yml': yaml('B.A', 'a.py'),
        'a.py': `import one\n${good}`,
      },
      /circular/,
    ],
    [
      'a rule of more than 1 MB',
      { 'a.yml': yaml('B.A', 'a.py'), 'a.py': bodyOf(1_000_001) },
      /a\.(?:py|yml)[\s\S]*1000000/,
    ],
    ['a YAML bomb', { 'a.yml': `${yaml('B.A', 'a.py')}${bomb}\n`, 'a.py': good }, /a\.yml/],
    [
      'a loop at the level of the module',
      { 'a.yml': yaml('B.A', 'a.py'), 'a.py': `while True:\n    pass\n${good}` },
      /"a\.py"[\s\S]*did not load/,
    ],
    [
      'one id for two types',
      { 'a.yml': yaml('B.A'), 'r.py': good, 'q.yml': 'AnalysisType: saved_query\nQueryName: B.A\nQuery: select 1\n' },
      /B\.A/,
    ],
    [
      'an id that another type has already',
      { 'q.yml': 'AnalysisType: saved_query\nQueryName: Old\nQuery: select 1\n' },
      /Old/,
    ],
    ['a reference to a file that is not there', { 'a.yml': yaml('B.A', 'gone.py') }, /gone\.py/],
  ])('%s', async (_what, files, message) => {
    const actor = await newActor();
    await uploads.upload(actor, { data: zipOf({ 'old.yml': yaml('Old'), 'r.py': good }).toString('base64') });
    expect(await failure(uploads.upload(actor, { data: zipOf(files).toString('base64') }))).toMatch(message);
    expect((await detections.list(actor, {})).map(({ id }) => id)).toEqual(['Old']);
    const content = {
      revision: 'r',
      globals: [],
      dataModels: [],
      rules: [{ id: 'Old', body: good, logTypes: ['X'], severity: 'LOW' as const }],
    };
    const records = Buffer.from('{"a":1}\n');
    const { matches } = await sandbox.evaluate({ tenantId: actor.tenantId, content, logType: 'X', records });
    expect(matches).toHaveLength(1);
  });
});

test('a rule of exactly 1 MB is taken', async () => {
  const actor = await newActor();
  const data = zipOf({ 'a.yml': yaml('Large'), 'r.py': bodyOf(1_000_000) }).toString('base64');
  expect(await uploads.upload(actor, { data })).toMatchObject({ rules: { new: 1 } });
});

test('an archive that leaves its folder, unfolds to a gigabyte or is larger than allowed is refused before it is read', async () => {
  const actor = await newActor();
  const slip = zipOf({ 'aa/bb/x.yml': yaml('Slip') });
  for (let at = slip.indexOf('aa/bb/'); at !== -1; at = slip.indexOf('aa/bb/', at + 1)) slip.write('../../', at);
  expect(await failure(uploads.upload(actor, { data: slip.toString('base64') }))).toMatch(/leaves its folder/);
  const block = Buffer.alloc(1_900_000, 0x61);
  const gigabyte = writeZip(Array.from({ length: 560 }, (_, n) => ({ name: `f${n}.yml`, bytes: block })));
  const startedAt = performance.now();
  expect(await failure(uploads.upload(actor, { data: gigabyte.toString('base64') }))).toMatch(/times its size/);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(await failure(uploads.upload(actor, { data: 'A'.repeat(14_400_000) }))).toMatch(/10485760 bytes/);
  const nested = writeZip([{ name: 'inner.zip', bytes: zipOf({ 'a.yml': yaml('Inner') }) }]);
  expect(await uploads.upload(actor, { data: nested.toString('base64') })).toMatchObject({ rules: { total: 0 } });
});

test('a global that 400 rules use is not deleted, the refusal says how many, and a broken version is refused', async () => {
  const actor = await newActor();
  const rules = Array.from({ length: 400 }, (_, n) => [`rules/${n}.yml`, yaml(`Many.${n}`)] as const);
  const library = 'AnalysisType: global\nGlobalID: many_helpers\nFilename: h.py\n';
  const files = { ...Object.fromEntries(rules), 'rules/r.py': `import many_helpers\n${good}`, 'g/h.yml': library };
  const withGlobal = (body: string) => ({ data: zipOf({ ...files, 'g/h.py': body }).toString('base64') });
  expect(await uploads.upload(actor, withGlobal('LIMIT = 1\n'))).toMatchObject({ rules: { new: 400 } });
  expect(await failure(detections.delete(actor, { id: 'many_helpers' }))).toContain('used by 400 pieces of content');
  const broken = { data: zipOf({ 'g/h.yml': library, 'g/h.py': 'raise ValueError("no")\n' }).toString('base64') };
  expect(await failure(uploads.upload(actor, broken))).toMatch(/ValueError|no/);
  const saved = await detections.get(actor, { id: 'many_helpers' });
  expect(saved.body).toBe('LIMIT = 1\n');
});
