import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildBundle, createSandboxPool, type SandboxPool } from '#detections';
import { chooseWalls } from '#platform/walls';
import { CommandError, type CommandIo } from './command.ts';

/** An interpreter on this machine, behind the strongest wall that it offers; nothing of it stays behind. */
export async function withLocalSandbox<T>(
  { host }: Pick<CommandIo, 'host'>,
  work: (sandbox: SandboxPool) => Promise<T>,
): Promise<T> {
  if (host === undefined) throw new CommandError('There is no Node here to run detections with.');
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-sandbox-'));
  // The sandbox runs as another user when this is root.
  await chmod(folder, 0o755);
  try {
    const bundle = await buildBundle(folder);
    const walls = await chooseWalls({ bundle, ...host });
    const sandbox = createSandboxPool({ walls, bundle });
    try {
      return await work(sandbox);
    } finally {
      await sandbox.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
