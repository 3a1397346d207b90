import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import {
  createDetectionService,
  createRemovalService,
  createSandboxPool,
  createUploadService,
  processUpload,
  takeUpStranded,
  writeZip,
} from '#detections';
import { systemClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import { createLocalObjectStore } from '#platform/objects';
import { createContentRevisions } from '../../../src/detections/content-revisions.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openWalls } from '../../support/sandboxes.ts';

const { database, close } = await createTestDatabase();
const folder = await mkdtemp(path.join(tmpdir(), 'margay-store-'));
const sandbox = createSandboxPool({ ...(await openWalls()), limits: { loadTimeoutMs: 60_000 } });
const objects = createLocalObjectStore(path.join(folder, 'objects'));
const audit = createAuditRecorder({ database, clock: systemClock });
const deps = { database, audit, sandbox, objects, ids: systemIds };
const detections = createDetectionService(deps);
const uploads = createUploadService(deps);
const removals = createRemovalService(deps);
afterAll(async () => {
  await sandbox.close();
  await close();
  await rm(folder, { recursive: true, force: true });
});

const newActor = async () => systemActor(await createTenant(database), 'test', randomUUID().replaceAll('-', ''));
const ruleYaml = (id: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: r.py\nLogTypes: [X]\nSeverity: Low\n`;
/** Without Python, so that nothing has to be loaded. */
const simpleYaml = (id: string, tag = 'x') =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [X]\nSeverity: Low\nTags: [${tag}]\nDetection: [{Condition: AlwaysTrue}]\n`;
const good = 'def rule(event):\n    return True\n';
const zipOf = (files: Readonly<Record<string, string>>): string =>
  writeZip(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))).toString('base64');
const failure = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing',
    (error: unknown) =>
      error instanceof Error ? `${error.message} ${(error as { publicMessage?: string }).publicMessage ?? ''}` : '',
  );

describe('saved content', () => {
  test('has a version for each change, kept after it is deleted and counted on when it comes back', async () => {
    const actor = await newActor();
    const save = (tag: string) => detections.save(actor, { specification: simpleYaml('V.Rule', tag), body: '' });
    await save('a');
    await save('a');
    await save('b');
    await detections.delete(actor, { id: 'V.Rule' });
    const back = await save('a');
    expect(back.version).toBe(4);
    const versions = await detections.versions(actor, { id: 'V.Rule' });
    expect(versions.map(({ version, change }) => [version, change])).toEqual([
      [4, 'SAVED'],
      [3, 'DELETED'],
      [2, 'SAVED'],
      [1, 'SAVED'],
    ]);
    expect(versions[3]?.source).toContain('RuleID: V.Rule');
    const stranger = await newActor();
    expect(await failure(detections.versions(stranger, { id: 'V.Rule' }))).toContain('V.Rule');
  });

  test('of every type shares one namespace', async () => {
    const actor = await newActor();
    await detections.save(actor, {
      specification: 'AnalysisType: saved_query\nQueryName: Same\nQuery: select 1\n',
      body: '',
    });
    expect(await failure(detections.save(actor, { specification: simpleYaml('Same'), body: '' }))).toContain(
      'belongs to a saved_query already',
    );
  });
});

test('a change is seen by the next batch of every worker, and what earlier batches began with stays', async () => {
  const actor = await newActor();
  const workers = [createContentRevisions({ database }), createContentRevisions({ database })] as const;
  const current = () => Promise.all(workers.map((worker) => worker.current(actor.tenantId)));
  const [empty] = await current();
  await detections.save(actor, { specification: simpleYaml('L.Rule', 'a'), body: '' });
  const [first, also] = await current();
  expect(also).toBe(first);
  expect(first).not.toBe(empty);
  expect(await current()).toEqual([first, first]);
  await detections.setEnabled(actor, { id: 'L.Rule', isEnabled: false });
  expect(await current()).toEqual([empty, empty]);
  await detections.setEnabled(actor, { id: 'L.Rule', isEnabled: true });
  await detections.delete(actor, { id: 'L.Rule' });
  expect(await current()).toEqual([empty, empty]);
  const fresh = createContentRevisions({ database });
  expect((await fresh.content(actor.tenantId, first ?? '')).items.map(({ id }) => id)).toEqual(['L.Rule']);
  await expect(fresh.content(actor.tenantId, 'f'.repeat(32))).rejects.toMatchObject({ code: 'internal' });
});

describe('an upload', () => {
  const content = {
    'rules/a.yml': simpleYaml('U.A'),
    'rules/b.yml': simpleYaml('U.B'),
    'queries/q.yml': 'AnalysisType: saved_query\nQueryName: U.Q\nQuery: select 1\n',
    'README.md': '# nothing',
  };
  const python = {
    'globals/helpers.yml': 'AnalysisType: global\nGlobalID: helpers\nFilename: h.py\n',
    'globals/h.py': 'LIMIT = 1\n',
    'rules/a.yml': ruleYaml('U.A'),
    'rules/b.yml': ruleYaml('U.B'),
    'rules/r.py': `import helpers\n${good}`,
  };

  test('is saved whole, counts what is new and what changed, and repeats without effect', async () => {
    const actor = await newActor();
    const first = await uploads.upload(actor, { data: zipOf(content) });
    expect(first).toMatchObject({
      rules: { new: 2, modified: 0, total: 2, newIds: ['U.A', 'U.B'] },
      queries: { new: 1, total: 1 },
      policies: { total: 0 },
    });
    expect((await uploads.upload(actor, { data: zipOf(content) })).rules).toMatchObject({
      new: 0,
      modified: 0,
      total: 2,
    });
    const changed = zipOf({ ...content, 'rules/b.yml': simpleYaml('U.B', 'y') });
    expect((await uploads.upload(actor, { data: changed })).rules).toMatchObject({
      new: 0,
      modified: 1,
      modifiedIds: ['U.B'],
    });
  });

  test('with a problem saves nothing and names the files', async () => {
    const actor = await newActor();
    const bad = zipOf({
      ...content,
      'rules/c.yml': simpleYaml('U.A'),
      'rules/d.yml':
        'AnalysisType: correlation_rule\nRuleID: U.C\nEnabled: true\nSeverity: Low\nDetection: [{Group: [{RuleID: Nope}], Schedule: {RateMinutes: 15, TimeoutMinutes: 5}}]\n',
    });
    const message = await failure(uploads.upload(actor, { data: bad }));
    expect(message).toContain('Conflicting AnalysisID: [U.A]');
    expect(message).toContain('rules that do not exist: Nope');
    expect(await detections.list(actor, {})).toEqual([]);
    const broken = zipOf({ 'a.yml': ruleYaml('U.S'), 'r.py': 'def rule(event:\n' });
    expect(await failure(uploads.upload(actor, { data: broken }))).toMatch(/r\.py.*SyntaxError/);
    const missing = zipOf({ 'a.yml': ruleYaml('U.S') });
    expect(await failure(uploads.upload(actor, { data: missing }))).toContain('is not in the archive');
    expect(await failure(uploads.upload(actor, { data: 'bm90IGEgemlw' }))).toContain('not a zip archive');
    const classes = zipOf({ 'main.py': good });
    expect(await failure(uploads.upload(actor, { data: classes, mode: 'V2_ZIP' }))).toMatch(/main\.py.*not supported/);
    const rehearsal = { data: zipOf(content), dryRun: true };
    expect(await failure(uploads.uploadAsync(actor, rehearsal))).toContain('dryRun: is for V2_ZIP');
  });

  test('by receipt is worked on once, and a second one waits', async () => {
    const actor = await newActor();
    const { receiptId } = await uploads.uploadAsync(actor, { data: zipOf(content) });
    expect(await uploads.status(actor, { receiptId })).toMatchObject({ status: 'NOT_PROCESSED', result: null });
    expect(await failure(uploads.uploadAsync(actor, { data: zipOf(content) }))).toContain('another upload');
    await processUpload(deps, actor.tenantId, receiptId);
    await processUpload(deps, actor.tenantId, receiptId);
    expect(await uploads.status(actor, { receiptId })).toMatchObject({
      status: 'COMPLETED',
      result: { rules: { new: 2 } },
    });
    expect(await objects.list(`tenants/${actor.tenantId}/uploads`)).toEqual([]);
    expect(await failure(uploads.status(await newActor(), { receiptId }))).toContain(receiptId);
  });

  test('says what changed, also when its worker ended between two steps', async () => {
    const actor = await newActor();
    const { receiptId } = await uploads.uploadAsync(actor, { data: zipOf(content) });
    const dying = { ...objects, delete: () => Promise.reject(new Error('the worker ended')) };
    expect(await failure(processUpload({ ...deps, objects: dying }, actor.tenantId, receiptId))).toContain('ended');
    await Promise.all([1, 2].map(() => processUpload(deps, actor.tenantId, receiptId)));
    expect(await uploads.status(actor, { receiptId })).toMatchObject({ result: { rules: { new: 2, modified: 0 } } });
    expect(await objects.list(`tenants/${actor.tenantId}/uploads`)).toEqual([]);
    const actions = await database.withTenant(actor.tenantId, (tx) =>
      tx.query("SELECT FROM audit_events WHERE action = 'BULK_UPLOAD_DETECTIONS'"),
    );
    expect(actions).toHaveLength(2);
  });

  test('whose job was lost is taken up again, and given up after a day', async () => {
    const actor = await newActor();
    const { receiptId } = await uploads.uploadAsync(actor, { data: zipOf(content) });
    const enqueued: unknown[] = [];
    const jobs = { enqueueAll: async (_job: unknown, items: readonly unknown[]) => void enqueued.push(...items) };
    const ageBy = (age: string) =>
      database.withTenant(actor.tenantId, (tx) =>
        tx.execute('UPDATE content_uploads SET created_at = created_at - $1::interval', [age]),
      );
    const sweep = () => takeUpStranded({ ...deps, jobs, clock: systemClock });
    const own = () => enqueued.filter((item) => JSON.stringify(item).includes(receiptId));
    await sweep();
    expect(own()).toEqual([]);
    await ageBy('11 minutes');
    await sweep();
    expect(own()).toMatchObject([{ payload: { tenantId: actor.tenantId, uploadId: receiptId } }]);
    await ageBy('1 day');
    await sweep();
    expect(await uploads.status(actor, { receiptId })).toMatchObject({ status: 'FAILED', error: 'upload failed' });
    expect(await objects.list(`tenants/${actor.tenantId}/uploads`)).toEqual([]);
  });

  test('can be checked without being saved', async () => {
    const actor = await newActor();
    const { receiptId } = await uploads.validate(actor, { data: zipOf({ 'a.yml': ruleYaml('bad<id') }) });
    await processUpload(deps, actor.tenantId, receiptId);
    const { status, result } = await uploads.validationStatus(actor, { receiptId });
    expect(status).toBe('COMPLETED');
    expect(result?.issues).toMatchObject([
      { path: 'a.yml', errorMessage: expect.stringContaining('RuleID must not contain') },
    ]);
    expect(await detections.list(actor, {})).toEqual([]);
  });

  test('of a global that others import cannot be undone under their feet', async () => {
    const actor = await newActor();
    expect((await uploads.upload(actor, { data: zipOf(python) })).globalHelpers).toMatchObject({ new: 1, total: 1 });
    expect(await failure(detections.delete(actor, { id: 'helpers' }))).toContain('used by 2 pieces of content');
    expect(await removals.deleteDetections(actor, { ids: ['helpers', 'U.A', 'U.B', 'nobody'], dryRun: true })).toEqual({
      ids: ['U.A', 'U.B', 'helpers'],
      savedQueryNames: [],
    });
    await removals.deleteDetections(actor, { ids: ['helpers', 'U.A', 'U.B'] });
    expect((await detections.list(actor, {})).map(({ id }) => id)).toEqual([]);
  });
});
