import { z } from 'zod';
import { ConfigurationError } from './config.ts';

/** Settings of the command line when it talks to a running deployment. */
export const clientSettings = z.object({
  MARGAY_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL that begins with http:// or https://' })
    .default('http://127.0.0.1:8080')
    .describe('Deployment that the command line talks to.'),
  MARGAY_API_TOKEN: z.string().min(1).optional().describe('API token of the command line.'),
  MARGAY_BACKUP_PASSPHRASE: z
    .string()
    .min(12, 'must have 12 characters or more')
    .optional()
    .describe('Seals the master keys in a backup, and opens them at a restore.'),
});

export type ClientSettings = { readonly url: string; readonly token: string };

/** The passphrase of backups, if one is set. Throws ConfigurationError when it is too short; it is never quoted. */
export function readBackupPassphrase(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = environment['MARGAY_BACKUP_PASSPHRASE'];
  const { data, error } = clientSettings.shape.MARGAY_BACKUP_PASSPHRASE.safeParse(given === '' ? undefined : given);
  if (error) throw new ConfigurationError(`MARGAY_BACKUP_PASSPHRASE: ${error.issues[0]?.message ?? 'is not valid'}.`);
  return data;
}

/** Where to connect and as whom. Throws ConfigurationError naming what is missing; the token is never quoted. */
export function readClientSettings(environment: Readonly<Record<string, string | undefined>>): ClientSettings {
  const given = Object.fromEntries(
    Object.keys(clientSettings.shape).flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])),
  );
  const { data, error } = clientSettings.safeParse(given);
  if (error)
    throw new ConfigurationError(error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}.`).join('\n'));
  if (data.MARGAY_API_TOKEN === undefined)
    throw new ConfigurationError(
      'MARGAY_API_TOKEN: is not set. Make a token (createAPIToken) and export it; the first start shows one.',
    );
  return { url: data.MARGAY_URL.replace(/\/+$/, ''), token: data.MARGAY_API_TOKEN };
}
