import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { publicUrl, type Runtime } from '../../../src/app/runtime.ts';
import { startDeployment } from '../../../src/app/supervisor.ts';
import { openInspector } from '../../chaos/deployment.ts';
import { type Receiver, startReceiver } from '../../chaos/receiver.ts';

/** What a benchmark works with: a throw-away deployment, a way into its stores, and somebody who takes its alerts. */
export type MeasuredDeployment = {
  readonly url: string;
  readonly runtime: Runtime;
  readonly inspector: Awaited<ReturnType<typeof openInspector>>;
  readonly receiver: Receiver;
};

type Options = {
  readonly say: (line: string) => void;
  /** Settings beside those every benchmark has. */
  readonly environment?: Readonly<Record<string, string>>;
};

/** Brings the product up as `npm start` does, on a folder of its own, and takes everything down again. */
export async function withDeployment<T>(
  { say, environment = {} }: Options,
  work: (deployment: MeasuredDeployment) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-bench-'));
  await chmod(folder, 0o755);
  const settings = {
    MARGAY_DATA_DIR: path.join(folder, 'data'),
    MARGAY_PORT: '0',
    MARGAY_LOG_LEVEL: 'error',
    MARGAY_OUTBOUND_ALLOW_CIDRS: '127.0.0.0/8',
    ...environment,
  };
  const receiver = await startReceiver({ random: () => 1, refusedShare: 0 });
  try {
    const deployment = await startDeployment({ environment: settings, roles: 'all', say });
    try {
      const inspector = await openInspector(deployment.runtime, receiver.url);
      const parts = { url: publicUrl(deployment.runtime), runtime: deployment.runtime, inspector, receiver };
      try {
        return await work(parts);
      } finally {
        await inspector.close();
      }
    } finally {
      await deployment.stop();
    }
  } finally {
    receiver.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
