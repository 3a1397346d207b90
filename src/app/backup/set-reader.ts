import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { z } from 'zod';
import { StartError } from '../data-folder.ts';
import { type FileEntry, type Manifest, manifestSchema, objectLine, setFormat } from './backup-manifest.ts';

export type SetReader = {
  readonly manifest: Manifest;
  pathOf(name: string): string;
  /** The unpacked bytes of a file. */
  stream(name: string): Readable;
  /** The lines of a packed file. */
  lines(name: string): AsyncIterable<string>;
  objects(): AsyncGenerator<z.output<typeof objectLine>>;
};

const damaged = (name: string): StartError =>
  new StartError(`The backup set is damaged: "${name}" is not as it was written. Restore from another set.`);

async function hashOf(file: string): Promise<FileEntry | undefined> {
  const info = await stat(file).catch(() => undefined);
  if (info === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return { bytes: info.size, sha256: hash.digest('hex') };
}

async function readManifest(folder: string): Promise<Manifest> {
  const file = path.join(folder, 'manifest.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const sum = await readFile(path.join(folder, 'manifest.sha256'), 'utf8').catch(() => undefined);
  if (text === undefined || sum === undefined)
    throw new StartError(`"${folder}" is no finished backup set: it has no manifest.`);
  if ((await hashOf(file))?.sha256 !== sum.trim()) throw damaged('manifest.json');
  const head = z.object({ product: z.literal('margay'), format: z.number(), version: z.string() });
  const { data } = head.safeParse(JSON.parse(text));
  if (data === undefined) throw damaged('manifest.json');
  if (data.format > setFormat)
    throw new StartError(
      `The backup set was made by a newer version (${data.version}) in a form that this one does not know. Restore it with that version.`,
    );
  const { data: manifest } = manifestSchema.safeParse(JSON.parse(text));
  if (manifest === undefined) throw damaged('manifest.json');
  return manifest;
}

const isSame = (a: FileEntry | undefined, b: FileEntry): boolean => a?.bytes === b.bytes && a.sha256 === b.sha256;

/** Opens a set and reads every byte of it once. Throws StartError naming the first file that is not as it was written. */
export async function openSet(folder: string): Promise<SetReader> {
  const manifest = await readManifest(folder);
  const pathOf = (name: string): string => path.join(folder, name);
  const stream = (name: string): Readable => {
    const input = createReadStream(pathOf(name));
    if (!name.endsWith('.zst')) return input;
    const output = createZstdDecompress();
    input.once('error', (error) => output.destroy(error));
    return input.pipe(output);
  };
  const lines = (name: string) => createInterface({ input: stream(name), crlfDelay: Infinity });
  const reader: SetReader = {
    manifest,
    pathOf,
    stream,
    lines,
    async *objects() {
      for await (const line of lines(manifest.objects.index)) yield objectLine.parse(JSON.parse(line));
    },
  };
  for (const [name, entry] of Object.entries(manifest.files))
    if (!isSame(await hashOf(pathOf(name)), entry)) throw damaged(name);
  for await (const { key, ...entry } of reader.objects())
    if (!isSame(await hashOf(pathOf(`objects/${key}`)), entry)) throw damaged(`objects/${key}`);
  return reader;
}
