import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildBundle } from '#detections';
import { chooseWalls } from '#platform/walls';
import { generateInterpreter } from '../../scripts/generate-interpreter.ts';
import { createProcessSource } from '../../src/detections/sandbox/process-source.ts';

const day = 24 * 3_600_000;

/**
 * Folder of sandbox bundles that all tests share, because the first start of an interpreter takes seconds and the next
 * go on from its snapshot. Bundles are named by their content; those of yesterday are removed.
 */
export async function bundleFolder(): Promise<string> {
  const folder = path.join(tmpdir(), `margay-bundles-${process.getuid?.() ?? 0}`);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > day) await rm(file, { recursive: true, force: true });
  }
  return folder;
}

/** The bundle and the walls of this machine, or the walls asked for. */
export async function openWalls(options: Partial<Parameters<typeof chooseWalls>[0]> = {}) {
  // Where a test is run by itself after a change of the engine, nobody has made it yet.
  if (options.bundle === undefined) await generateInterpreter();
  const bundle = options.bundle ?? (await buildBundle(await bundleFolder()));
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.(), ...options });
  if (!existsSync(path.join(bundle, 'generic.snapshot'))) {
    // Of an engine that a test has changed; made here, where no test waits for it with a clock.
    const source = createProcessSource(walls, bundle);
    (await source.take()).kill();
    source.close();
  }
  return { bundle, walls };
}
