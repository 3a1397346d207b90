import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Need, seccompArchitecture, seccompProgram } from './seccomp.ts';

export type BundleFile = readonly [name: string, bytes: Uint8Array];

/** What the walls themselves need in a bundle; the filter of system calls fits what the program behind them does. */
export async function wallFiles(need: Need): Promise<readonly BundleFile[]> {
  const own = async (name: string): Promise<BundleFile> => [name, await readFile(path.join(import.meta.dirname, name))];
  const architecture = seccompArchitecture(process.arch);
  const filter: readonly BundleFile[] =
    architecture === undefined ? [] : [['seccomp.bpf', seccompProgram(architecture, need)]];
  return [await own('enter.sh'), await own('filter.pl'), await own('hand-in.sh'), ...filter];
}

/** What files are called together: other files, another name. */
export function bundleName(files: readonly BundleFile[]): string {
  const hash = createHash('sha256');
  for (const [name, bytes] of files) hash.update(name).update(bytes);
  return hash.digest('hex').slice(0, 16);
}

/**
 * Lays files out in a folder named by their content, readable by any user, with a place for the root of the process.
 * Returns the folder; a second call finds it ready.
 */
export async function layOut(parent: string, files: readonly BundleFile[]): Promise<string> {
  const folder = path.join(parent, bundleName(files));
  if ((await stat(folder).catch(() => undefined)) !== undefined) return folder;
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const temporary = await mkdtemp(path.join(parent, '.new-'));
  await chmod(temporary, 0o755);
  for (const [name, bytes] of files) {
    const file = path.join(temporary, name);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
    await writeFile(file, bytes, { mode: 0o644 });
  }
  await mkdir(path.join(temporary, 'root'), { mode: 0o755 });
  await rename(temporary, folder).catch(async () => rm(temporary, { recursive: true, force: true }));
  return folder;
}
