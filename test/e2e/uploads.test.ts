import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { createAuditRecorder } from '#audit';
import { createUploadSessionService, uploadKey, writeZip } from '#detections';
import { createS3ObjectStore } from '#platform/objects';
import { hasS3Server, startTestS3 } from '../../scripts/services/s3.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { idOf, restAs } from '../support/rest.ts';

/** Archives of content: put at a signed address, and as a form. */

const deployment = await startTestDeployment();
const [owner, stranger] = [await deployment.tenant('owner'), await deployment.tenant('stranger')];
afterAll(() => deployment.stop());

const yaml = (id: string) =>
  `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nLogTypes: [X]\nSeverity: Low\nDetection: [{Condition: AlwaysTrue}]\n`;
const zipOf = (files: Readonly<Record<string, string>>): Buffer =>
  writeZip(Object.entries(files).map(([name, text]) => ({ name, bytes: Buffer.from(text) })));
const textOf = (archive: Buffer): string => archive.toString('base64');

type Tenant = typeof owner;
type Place = { readonly detectionsURL: string; readonly sessionId: string };

async function data<Output>(tenant: Tenant, query: string): Promise<Output> {
  const answer = await tenant.ask(query);
  if (answer.errors) throw new Error(answer.errors.map(({ message }) => message).join('\n'));
  return answer.data as Output;
}

const address = async (tenant: Tenant): Promise<Place> =>
  (
    await data<{ bulkUploadPresignedUrl: Place }>(
      tenant,
      '{ bulkUploadPresignedUrl(input: {pypantherVersion: "0.48.0"}) { detectionsURL sessionId } }',
    )
  ).bulkUploadPresignedUrl;
const put = (url: string, body: string | Buffer) =>
  fetch(url, { method: 'PUT', body: typeof body === 'string' ? body : new Uint8Array(body) });
const start = (tenant: Tenant, sessionId: string, dryRun = false) =>
  tenant.ask(`mutation { bulkUploadDetections(input: {sessionId: "${sessionId}", dryRun: ${dryRun}}) { id } }`);

type Status = { status: string; message: string | null; results: Record<string, string[]> | null };

async function outcome(tenant: Tenant, sessionId: string, dryRun = false): Promise<Status> {
  const started = await start(tenant, sessionId, dryRun);
  expect(started.errors).toBeUndefined();
  const { id } = started.data?.['bulkUploadDetections'] as { id: string };
  return vi.waitFor(
    async () => {
      const { bulkUploadDetectionsStatus: found } = await data<{ bulkUploadDetectionsStatus: Status }>(
        tenant,
        `{ bulkUploadDetectionsStatus(jobId: "${id}") { status message results { newRuleIds modifiedRuleIds deletedRuleIds totalRuleIds } } }`,
      );
      expect(found.status).not.toBe('Running');
      return found;
    },
    { timeout: 30_000, interval: 100 },
  );
}

const ruleIds = async (tenant: Tenant): Promise<readonly string[]> =>
  (await deployment.services.detections.list(tenant.actor, {}))
    .map(({ id }) => id)
    .filter((id) => id.startsWith('Up.'));

/** Results of the audited actions on one session, oldest first. */
const audited = (tenant: Tenant, sessionId: string) =>
  deployment.platform.database.withTenant(tenant.tenantId, async (tx) =>
    (
      await tx.query<{ action: string; result: string }>(
        'SELECT action, result FROM audit_events WHERE tenant_id = $1 AND target_id = $2 ORDER BY sequence',
        [tenant.tenantId, sessionId],
      )
    ).map(({ action, result }) => `${action} ${result}`),
  );

describe('an archive put at its address', () => {
  test('is rehearsed without effect, then saved; both say the same, and each step is audited', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    expect(detectionsURL.startsWith(`${deployment.url}/uploads/`)).toBe(true);
    const files = { 'a.yml': yaml('Up.A'), 'b.yml': yaml('Up.B') };
    expect((await put(detectionsURL, textOf(zipOf(files)))).status).toBe(200);
    const expected = {
      status: 'Succeeded',
      message: null,
      results: {
        newRuleIds: ['Up.A', 'Up.B'],
        modifiedRuleIds: [],
        deletedRuleIds: [],
        totalRuleIds: ['Up.A', 'Up.B'],
      },
    };
    expect(await outcome(owner, sessionId, true)).toEqual(expected);
    expect(await ruleIds(owner)).toEqual([]);
    expect(await outcome(owner, sessionId)).toEqual(expected);
    expect(await ruleIds(owner)).toEqual(['Up.A', 'Up.B']);
    expect(await ruleIds(stranger)).toEqual([]);
    expect(await audited(owner, sessionId)).toEqual([
      'CREATE_UPLOAD_ADDRESS SUCCEEDED',
      'PUT_UPLOAD_ARCHIVE SUCCEEDED',
    ]);
  });

  test('may be the zip itself', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    expect((await put(detectionsURL, zipOf({ 'c.yml': yaml('Up.C') }))).status).toBe(200);
    expect(await outcome(owner, sessionId, true)).toMatchObject({ results: { newRuleIds: ['Up.C'] } });
  });

  test('is taken once, also of two at the same moment', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    const answers = await Promise.all(
      ['Up.One', 'Up.Two'].map((id) => put(detectionsURL, zipOf({ 'x.yml': yaml(id) }))),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const again = await put(detectionsURL, 'UEsFBg');
    expect([again.status, await again.text()]).toEqual([409, expect.stringContaining('already')]);
    const kept = answers[0]?.status === 200 ? 'Up.One' : 'Up.Two';
    expect(await outcome(owner, sessionId, true)).toMatchObject({ results: { totalRuleIds: [kept] } });
  });

  test('with problems fails with JSON that names the files', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    await put(detectionsURL, zipOf({ 'bad.yml': yaml('Up.Bad').replace('Low', 'Lowest') }));
    const { status, message } = await outcome(owner, sessionId);
    expect(status).toBe('Failed');
    expect((JSON.parse(message ?? '') as { errorMessage: string }).errorMessage).toMatch(/1 problem[\s\S]*bad\.yml/);
  });

  test('of Python classes is refused with what to do instead', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    await put(detectionsURL, zipOf({ 'main.py': 'from pypanther import register\nregister([])\n' }));
    const { message } = await outcome(owner, sessionId);
    expect(message).toMatch(/main\.py.*Python classes are not supported.*AnalysisType/);
  });

  test.each([
    ['that is no archive', 'not base64!', 400, /neither a zip archive nor base64/],
    ['that is too large', 'A'.repeat(15_000_000), 413, /14505\d+ bytes/],
    ['whose archive is too large', Buffer.from(`PK${'x'.repeat(10_485_760)}`), 413, /10485760 bytes/],
  ] as const)('%s is refused, and the start says why', async (_what, body, status, message) => {
    const { detectionsURL, sessionId } = await address(owner);
    const answer = await put(detectionsURL, body);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(message)]);
    const { errors } = await start(owner, sessionId);
    expect(errors?.[0]?.message).toMatch(message);
    expect(await audited(owner, sessionId)).toContain('PUT_UPLOAD_ARCHIVE FAILED');
  });

  test('a path that leaves the archive and a bomb are refused as in any upload', async () => {
    const slip = zipOf({ 'aa/x.yml': yaml('Up.Slip') });
    for (let at = slip.indexOf('aa/'); at !== -1; at = slip.indexOf('aa/', at + 1)) slip.write('../', at);
    const bomb = writeZip([{ name: 'x.yml', bytes: Buffer.alloc(1_900_000, 0x61) }]);
    for (const [archive, message] of [
      [slip, 'leaves its folder'],
      [bomb, 'times its size'],
    ] as const) {
      const { detectionsURL, sessionId } = await address(owner);
      await put(detectionsURL, archive);
      expect((await outcome(owner, sessionId)).message).toContain(message);
    }
  });
});

describe('an address', () => {
  const archive = zipOf({ 'z.yml': yaml('Up.Z') });

  test('with any part changed, or of nothing, is not one', async () => {
    const { detectionsURL } = await address(owner);
    const other = await address(owner);
    const foreign = await address(stranger);
    const [own, others, strangers] = [detectionsURL, other.detectionsURL, foreign.detectionsURL].map(
      (url) => new URL(url),
    );
    if (!own || !others || !strangers) throw new Error('no address');
    const wrong = [
      `${own.origin}${others.pathname}${own.search}`,
      `${own.origin}${strangers.pathname}${own.search}`,
      `${own.origin}${own.pathname.replace(owner.tenantId, stranger.tenantId)}${own.search}`,
      `${own.origin}${own.pathname}?signature=${'A'.repeat(200)}`,
      `${own.origin}/uploads/${randomUUID()}/${randomUUID()}${own.search}`,
    ];
    for (const url of wrong) expect([url, (await put(url, archive)).status]).toEqual([url, 401]);
    expect((await put(`${own.origin}${own.pathname}`, archive)).status).toBe(400);
    expect((await put(detectionsURL, archive)).status).toBe(200);
  });

  test('is good for a quarter of an hour, what was put there for an hour', async () => {
    const { database, objects, secrets, ids } = deployment.platform;
    const late = { now: () => new Date(Date.now() + 16 * 60_000) };
    const audit = createAuditRecorder({ database, clock: late });
    const later = createUploadSessionService({ database, objects, secrets, ids, audit, clock: late, publicUrl: '' });
    const { detectionsURL, sessionId } = await address(owner);
    const signature = new URL(detectionsURL).searchParams.get('signature') ?? '';
    const place = { tenantId: owner.tenantId, sessionId, signature };
    await expect(later.open(place)).rejects.toMatchObject({ code: 'forbidden', publicMessage: /15 minutes/ });
    await put(detectionsURL, archive);
    const dawn = { now: () => new Date(Date.now() + 61 * 60_000) };
    const tomorrow = createUploadSessionService({ database, objects, secrets, ids, audit, clock: dawn, publicUrl: '' });
    const { owner: caller } = await sessionsOwner(sessionId);
    await expect(tomorrow.start({ ...owner.actor, id: caller } as never, { sessionId })).rejects.toMatchObject({
      publicMessage: /older than 60 minutes/,
    });
  });

  test('belongs to who asked for it: another tenant or another token finds no session', async () => {
    const { detectionsURL, sessionId } = await address(owner);
    expect((await start(owner, sessionId)).errors?.[0]?.message).toContain('nothing was put at its address yet');
    await put(detectionsURL, archive);
    expect((await start(stranger, sessionId)).errors?.[0]?.extensions.code).toBe('NOT_FOUND');
    await expect(deployment.services.uploadSessions.start(owner.actor, { sessionId })).rejects.toMatchObject({
      code: 'not_found',
    });
    const made = await deployment.services.tokens.create(owner.actor, { name: 'reader', permissions: ['RuleRead'] });
    const refused = await fetch(`${deployment.url}/public/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': made.value },
      body: JSON.stringify({ query: '{ bulkUploadPresignedUrl(input: {pypantherVersion: "1"}) { sessionId } }' }),
    });
    expect(await refused.text()).toContain('FORBIDDEN');
  });

  async function sessionsOwner(sessionId: string): Promise<{ readonly owner: string }> {
    const [row] = await deployment.platform.database.withTenant(owner.tenantId, (tx) =>
      tx.query<{ owner: string }>(
        "SELECT actor->>'id' AS owner FROM content_uploads WHERE tenant_id = $1 AND id = $2",
        [owner.tenantId, sessionId],
      ),
    );
    if (row === undefined) throw new Error('no session');
    return row;
  }
});

test.skipIf(!hasS3Server)('with an S3 store an archive goes the same way, and is there once', async () => {
  const server = await startTestS3();
  const objects = createS3ObjectStore({ ...server, region: 'us-east-1', isPathStyle: true });
  try {
    const { database, secrets, ids, clock } = deployment.platform;
    const audit = createAuditRecorder({ database, clock });
    const sessions = createUploadSessionService({ database, objects, secrets, ids, audit, clock, publicUrl: '' });
    const actor = stranger.actor;
    const { detectionsURL, sessionId } = await sessions.address(actor, { pypantherVersion: '1' });
    const signature = new URL(detectionsURL, 'http://here').searchParams.get('signature') ?? '';
    const grant = await sessions.open({ tenantId: actor.tenantId, sessionId, signature });
    const archive = zipOf({ 's.yml': yaml('Up.S3') });
    const puts = await Promise.allSettled(
      [1, 2].map(() => sessions.put(grant, actor.origin, () => Promise.resolve(archive))),
    );
    expect(puts.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await objects.get(uploadKey(actor.tenantId, sessionId))).toEqual(archive);
  } finally {
    objects.close();
    await server.stop();
  }
});

describe('an archive in a form', () => {
  const own = restAs(deployment.url, owner.token);
  const foreign = restAs(deployment.url, stranger.token);
  const done = (id: string) =>
    vi.waitFor(
      async () => {
        const answer = await own('upload#get', { params: { id } });
        expect(answer.body).not.toMatchObject({ status: 'NOT_PROCESSED' });
        return answer.body;
      },
      { timeout: 30_000, interval: 100 },
    );

  test('is saved by a worker; a dry run changes nothing; another tenant does not see it', async () => {
    const file = zipOf({ 'f.yml': yaml('Up.Form') });
    const dry = idOf(await own('upload#create', { body: { file, dryRun: 'true' } }));
    expect(await done(dry)).toMatchObject({ status: 'COMPLETED', result: { rules: { newIds: ['Up.Form'] } } });
    expect(await ruleIds(owner)).not.toContain('Up.Form');
    const id = idOf(await own('upload#create', { body: { file } }));
    expect(await done(id)).toMatchObject({ status: 'COMPLETED', error: null, result: { rules: { new: 1 } } });
    expect(await ruleIds(owner)).toContain('Up.Form');
    expect((await foreign('upload#get', { params: { id } })).status).toBe(404);
  });

  test.each([
    ['no file', { dryRun: 'true' }, 400, /file: is not a file/],
    ['a text instead of a file', { file: 'PK' }, 400, /file: is not a file/],
    ['a wrong flag', { file: zipOf({}), dryRun: 'maybe' }, 400, /dryRun: is neither/],
    ['a large file', { file: Buffer.alloc(10_485_761, 1) }, 413, /10485760 bytes/],
    ['a larger form', { file: Buffer.alloc(12_000_000, 1) }, 413, /10 MiB/],
  ] as const)('with %s is refused with the field', async (_what, body, status, message) => {
    const answer = await own('upload#create', { body });
    expect([answer.status, (answer.body as { message: string }).message]).toEqual([
      status,
      expect.stringMatching(message),
    ]);
  });

  test('that is none is refused', async () => {
    const headers = { 'x-api-key': owner.token };
    const json = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' };
    expect((await fetch(`${deployment.url}/uploads`, json)).status).toBe(415);
    const broken = { ...json, headers: { ...headers, 'content-type': 'multipart/form-data; boundary=x' } };
    const answer = await fetch(`${deployment.url}/v1/uploads`, broken);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('multipart/form-data')]);
  });
});
