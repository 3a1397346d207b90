import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { prepareTenant } from '../../src/app/first-start/first-start.ts';
import { createServices, openPlatform, openSandbox } from '../../src/app/parts.ts';
import { publicUrl } from '../../src/app/runtime.ts';
import { startDeployment } from '../../src/app/supervisor.ts';

export type Live = {
  readonly url: string;
  readonly tenantId: string;
  readonly token: string;
  readonly sourceId: string;
  readonly sourceSecret: string;
  /** Its database, as the product's own role. */
  readonly databaseUrl: string;
};

/** Runs the work against a throw-away deployment with one tenant; its limits of requests are out of the way. */
export async function withDeployment(work: (live: Live) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-compat-'));
  await chmod(folder, 0o755);
  const environment = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'error',
    MARGAY_REQUESTS_PER_MINUTE: '1000000',
    MARGAY_REFUSALS_PER_MINUTE: '1000000',
  };
  const deployment = await startDeployment({ environment, roles: 'all', say: () => undefined });
  const platform = openPlatform(deployment.runtime);
  const sandbox = await openSandbox(deployment.runtime);
  try {
    const first = await prepareTenant(createServices(platform, deployment.runtime, sandbox), 'compat');
    const { databaseUrl } = deployment.runtime;
    await work({ ...first, url: publicUrl(deployment.runtime), databaseUrl });
  } finally {
    await sandbox.pool.close();
    await platform.close();
    await deployment.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
