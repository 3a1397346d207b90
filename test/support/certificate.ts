import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Whether certificates can be made here; says so when not, since the tests that need one are skipped then. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stdout.write('skipped: tests of TLS need the program openssl\n');

/** A self-signed certificate for `siem.example.com` and its key, as files in the folder. */
export function makeCertificate(
  folder: string,
  name: string,
  days = 30,
): { readonly cert: string; readonly key: string } {
  const [cert, key] = [path.join(folder, `${name}.crt`), path.join(folder, `${name}.key`)];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:siem.example.com'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    ...subject,
    '-days',
    String(days),
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  if (hasOpenssl && made.status !== 0) throw new Error(made.stderr.toString());
  return { cert, key };
}
