import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { showFirstStart } from '../../src/app/first-start/first-start.ts';
import { hasOpenssl, makeCertificate } from '../support/certificate.ts';
import { startTestDeployment } from '../support/deployment.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'margay-tls-'));
const { cert, key } = makeCertificate(folder, 'siem');
const deployment = await startTestDeployment({
  environment: hasOpenssl ? { MARGAY_TLS_CERT_FILE: cert, MARGAY_TLS_KEY_FILE: key } : {},
});
afterAll(async () => {
  await deployment.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ready = (servername: string): Promise<{ status: number | undefined; hsts: string | undefined }> =>
  new Promise((resolve, reject) => {
    const options = { ca: readFileSync(cert), servername, host: '127.0.0.1', port: deployment.runtime.port };
    request({ ...options, path: '/readyz' }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, hsts: response.headers['strict-transport-security'] });
    })
      .on('error', reject)
      .end();
  });

test.skipIf(!hasOpenssl)('the listener speaks TLS with the given certificate and nothing else', async () => {
  expect(await ready('siem.example.com')).toMatchObject({ status: 200, hsts: expect.stringContaining('max-age') });
  await expect(ready('other.example.com')).rejects.toThrow(/altnames/);
  await expect(fetch(deployment.url.replace('https:', 'http:'))).rejects.toThrow();
});

test.skipIf(!hasOpenssl)(
  'the first start feeds its sample over TLS, although the certificate names another host',
  async () => {
    const lines: string[] = [];
    await showFirstStart(deployment.runtime, { say: (line) => lines.push(line), isTerminal: true, sampleEvents: 200 });
    expect(lines.join('\n')).toMatch(/CRITICAL +AWS\.CloudTrail +Root user/);
  },
);
