import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemActor } from '#access';
import { prepareTenant } from '../../src/app/first-start/first-start.ts';
import { createServices, openPlatform, openSandbox } from '../../src/app/parts.ts';
import { publicUrl } from '../../src/app/runtime.ts';
import { startDeployment } from '../../src/app/supervisor.ts';

type Options = {
  /** Folder to work in; a new one, removed at the end, when absent. */
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
};

/** The whole product on a folder of its own, as `npm start` brings it up. */
export async function startTestDeployment({ folder: given, environment: more = {} }: Options = {}) {
  const folder = given ?? (await mkdtemp(path.join(tmpdir(), 'margay-e2e-')));
  await chmod(folder, 0o755);
  const environment = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'error',
    MARGAY_OUTBOUND_ALLOW_CIDRS: '127.0.0.0/8',
    ...more,
  };
  const deployment = await startDeployment({ environment, roles: 'all', say: () => undefined });
  const platform = openPlatform(deployment.runtime);
  const sandbox = await openSandbox(deployment.runtime, platform.objects);
  const services = createServices(platform, deployment.runtime, sandbox);
  const url = publicUrl(deployment.runtime);
  return {
    url,
    runtime: deployment.runtime,
    services,
    platform,
    lake: platform.lake.reader,
    tenant: async (slug: string) => {
      const first = await prepareTenant(services, slug);
      const actor = systemActor(first.tenantId, 'test', randomBytes(16).toString('hex'));
      const ask = async (query: string, variables: Record<string, unknown> = {}) => {
        const headers = { 'content-type': 'application/json', 'x-api-key': first.token };
        const response = await fetch(`${url}/public/graphql`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ query, variables }),
        });
        return (await response.json()) as {
          data?: Record<string, unknown> | null;
          errors?: { message: string; extensions: { code: string } }[];
        };
      };
      const send = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
        fetch(`${url}/http/${first.sourceId}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${first.sourceSecret}`, ...headers },
          body,
        });
      return { ...first, actor, ask, send };
    },
    async stop() {
      await sandbox.pool.close();
      await platform.close();
      await deployment.stop();
      if (given === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
