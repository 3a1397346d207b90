import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const dayMs = 24 * 3_600_000;

/**
 * Looks at the certificate and key the server would use: that they belong together and hold today. Returns a sentence
 * for people; throws with one when the server could not serve with them.
 */
export async function inspectCertificate(certFile: string, keyFile: string, now: Date): Promise<string> {
  const read = (file: string): Promise<Buffer> =>
    readFile(file).catch((error: unknown) => {
      throw new Error(`${file} cannot be read. Check the path and its rights.`, { cause: error });
    });
  const [certText, keyText] = [await read(certFile), await read(keyFile)];
  const certificate = (() => {
    try {
      return new X509Certificate(certText);
    } catch (error) {
      throw new Error(`${certFile} holds no PEM certificate.`, { cause: error });
    }
  })();
  const key = (() => {
    try {
      return createPrivateKey(keyText);
    } catch (error) {
      throw new Error(`${keyFile} holds no PEM private key without a passphrase.`, { cause: error });
    }
  })();
  if (!certificate.checkPrivateKey(key)) throw new Error(`${keyFile} is not the key of the certificate ${certFile}.`);
  const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
  if (now < from) throw new Error(`The certificate is valid only from ${from.toISOString()} on. Is the clock right?`);
  if (now > to) throw new Error(`The certificate expired on ${to.toISOString()}. Renew it.`);
  const days = Math.floor((to.getTime() - now.getTime()) / dayMs);
  const names = certificate.subjectAltName ?? certificate.subject;
  return `${names.replaceAll('\n', ', ')}, valid for ${days} more days${days < 14 ? ': renew it soon' : ''}`;
}
