import { readFileSync } from 'node:fs';
import type { Settings } from '#platform/config';
import type { MasterKeyTexts } from '#platform/secrets';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

/** Version of the product that runs. */
export const productVersion: string = manifest.version;

export type RoleName = 'api' | 'ingest' | 'worker' | 'scheduler';

export const roleNames: readonly RoleName[] = ['api', 'ingest', 'worker', 'scheduler'];

/** What the supervisor tells a role: settings as read, and where the stores are once started. */
export type Runtime = {
  readonly roles: readonly RoleName[];
  readonly settings: Settings;
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly lake: { readonly url: string; readonly user: string; readonly password: string };
  readonly masterKeys: MasterKeyTexts;
  readonly port: number;
};

/** Address under which people and other programs reach the server. */
export function publicUrl({ settings, port }: Pick<Runtime, 'settings' | 'port'>): string {
  if (settings.MARGAY_PUBLIC_URL !== undefined) return settings.MARGAY_PUBLIC_URL.replace(/\/$/, '');
  const scheme = settings.MARGAY_TLS_CERT_FILE === undefined ? 'http' : 'https';
  return `${scheme}://${settings.MARGAY_HOST.includes(':') ? `[${settings.MARGAY_HOST}]` : settings.MARGAY_HOST}:${port}`;
}

/** Address under which this machine reaches the server, whatever name the world knows it by. */
export function localUrl({ settings, port }: Pick<Runtime, 'settings' | 'port'>): string {
  const scheme = settings.MARGAY_TLS_CERT_FILE === undefined ? 'http' : 'https';
  const anyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
  const host = anyAddress[settings.MARGAY_HOST] ?? settings.MARGAY_HOST;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Messages between the supervisor and a role, over the pipe that also tells a role that its parent is gone. */
export type RoleMessage = { readonly kind: 'ready' } | { readonly kind: 'failed'; readonly message: string };

/** A running part of a process. */
export type Started = { stop(): Promise<void> };
