import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type BundleFile, chooseWalls, layOut, wallFiles, type Walls } from '#platform/walls';

/** What readers are made of on this machine. */
export type ReaderHost = {
  /** Where the program of the readers is laid out. */
  readonly bundleFolder: string;
  readonly nodePath: string;
  readonly uid: number | undefined;
  /** Only these walls are tried; all when absent. */
  readonly wallKinds?: Parameters<typeof chooseWalls>[0]['kinds'];
};

/** Lays out what a reader finds behind the wall beside the engine: its program and what the wall needs. */
async function buildReaderBundle(parent: string): Promise<string> {
  const own = async (name: string): Promise<BundleFile> => [name, await readFile(path.join(import.meta.dirname, name))];
  return layOut(parent, [
    ['package.json', Buffer.from('{"type":"module"}')],
    await own('main.ts'),
    await own('frames.ts'),
    ...(await wallFiles('writes')),
  ]);
}

/** The strongest wall around readers that this machine offers, and what lies behind it. */
export async function chooseReaderWalls({
  bundleFolder,
  nodePath,
  uid,
  wallKinds,
}: ReaderHost): Promise<{ readonly walls: Walls; readonly bundle: string }> {
  await mkdir(bundleFolder, { recursive: true, mode: 0o755 });
  const bundle = await buildReaderBundle(bundleFolder);
  const kinds = wallKinds === undefined ? {} : { kinds: wallKinds };
  return { bundle, walls: await chooseWalls({ bundle, nodePath, uid, keepsUser: true, ...kinds }) };
}

/** Folders of the engine's packages, and where they are seen inside. */
export function engineMounts(inside: string): readonly { readonly from: string; readonly to: string }[] {
  const engine = path.dirname(createRequire(import.meta.url).resolve('chdb/package.json'));
  return [
    { from: engine, to: `${inside}/node_modules/chdb` },
    { from: path.join(engine, '../@chdb'), to: `${inside}/node_modules/@chdb` },
  ];
}
