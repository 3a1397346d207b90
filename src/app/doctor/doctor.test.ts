import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hasOpenssl, makeCertificate } from '../../../test/support/certificate.ts';
import { inspectCertificate } from './certificate.ts';
import { runDoctor } from './doctor.ts';
import { rightBeyondReading } from './stores.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'margay-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [first, second] = [makeCertificate(folder, 'first'), makeCertificate(folder, 'second')];

test.skipIf(!hasOpenssl)('a certificate is judged by its key, its days and its names', async () => {
  const now = new Date();
  expect(await inspectCertificate(first.cert, first.key, now)).toMatch(
    /siem\.example\.com, valid for (29|30) more days$/,
  );
  await expect(inspectCertificate(first.cert, second.key, now)).rejects.toThrow('is not the key of the certificate');
  await expect(inspectCertificate(first.cert, first.cert, now)).rejects.toThrow('holds no PEM private key');
  await expect(inspectCertificate(first.key, first.key, now)).rejects.toThrow('holds no PEM certificate');
  await expect(inspectCertificate(path.join(folder, 'none'), first.key, now)).rejects.toThrow('cannot be read');
  await expect(inspectCertificate(first.cert, first.key, new Date(now.getTime() + 31 * 86_400_000))).rejects.toThrow(
    'expired',
  );
  await expect(inspectCertificate(first.cert, first.key, new Date(now.getTime() - 86_400_000))).rejects.toThrow(
    'Is the clock right?',
  );
  expect(await inspectCertificate(first.cert, first.key, new Date(now.getTime() + 20 * 86_400_000))).toContain(
    'renew it soon',
  );
});

test('a user of queries who may do more than read is found out', () => {
  const reading = ['GRANT SELECT ON `t_*`.* TO margay_reader', 'GRANT SELECT(a, b) ON pool.x TO margay_reader'];
  expect(rightBeyondReading(reading)).toBeUndefined();
  for (const more of [
    'GRANT SELECT, INSERT ON *.* TO margay_reader',
    'GRANT ALL ON *.* TO margay_reader',
    'GRANT SELECT ON `t_*`.* TO margay_reader WITH GRANT OPTION',
    'GRANT READ ON FILE TO margay_reader',
    'GRANT margay_admin TO margay_reader',
  ])
    expect(rightBeyondReading([...reading, more])).toBe(more);
});

test.skipIf(!hasOpenssl)('the doctor names what must be mended and says so in its exit code', async () => {
  const lines: string[] = [];
  const environment = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_TLS_CERT_FILE: first.cert,
    MARGAY_TLS_KEY_FILE: second.key,
    DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none',
    DATABASE_OWNER_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none',
  };
  expect(await runDoctor(environment, (line) => lines.push(line))).toBe(1);
  const text = lines.join('\n');
  expect(text).toMatch(/PROBLEM TLS: .* is not the key of the certificate/);
  expect(text).toMatch(/PROBLEM Postgres: /);
  for (const name of ['configuration', 'data folder', 'port', 'lake', 'clock', 'runtime'])
    expect(text).toContain(`ok      ${name}: `);
  expect(text).not.toContain('hunter2');
});
