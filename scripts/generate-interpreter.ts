import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chooseWalls } from '#platform/walls';
import { buildBundle, copyWhole, genericSnapshotOf, installedSnapshot } from '../src/detections/sandbox/host/bundle.ts';
import { createProcessSource } from '../src/detections/sandbox/process-source.ts';

/**
 * Starts an interpreter once, which takes seconds, and keeps its memory, from which all others of this installation go
 * on. Only the product's own code runs in it. Where that fails they start from nothing: slow and right.
 */
export async function generateInterpreter(): Promise<void> {
  const installed = await installedSnapshot();
  if (existsSync(installed)) return;
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-interpreter-'));
  try {
    const bundle = await buildBundle(folder);
    const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.(), kinds: [] });
    const source = createProcessSource(walls, bundle);
    (await source.take()).kill();
    source.close();
    await copyWhole(genericSnapshotOf(bundle), installed);
    for (const old of await readdir(path.dirname(installed)))
      if (old.endsWith('.snapshot') && old !== path.basename(installed))
        await rm(path.join(path.dirname(installed), old), { force: true });
  } catch (error) {
    process.stderr.write(`No interpreter could be started in advance: ${String(error)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
