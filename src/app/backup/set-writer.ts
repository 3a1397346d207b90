import { createHash } from 'node:crypto';
import { mkdir, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { StartError } from '../data-folder.ts';
import type { FileEntry, Manifest } from './backup-manifest.ts';

export type SetWriter = {
  /** Writes one file of the set, packed when its name ends in `.zst` and it is no object; it is on the disk when this returns. */
  write(name: string, bytes: Buffer | AsyncIterable<Buffer>): Promise<FileEntry>;
  /** The manifest comes last: a set without one is not finished. */
  finish(manifest: Omit<Manifest, 'files'>): Promise<void>;
};

const level = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

async function writeFileDurably(
  file: string,
  source: Buffer | AsyncIterable<Buffer>,
  isPacked: boolean,
): Promise<FileEntry> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(file, 'wx', 0o600);
  const hash = createHash('sha256');
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const stages = isPacked ? [createZstdCompress(level), counter] : [counter];
  const input = Readable.from(source instanceof Uint8Array ? [source] : source);
  await pipeline([input, ...stages, handle.createWriteStream({ flush: true })]);
  return { bytes, sha256: hash.digest('hex') };
}

/** Begins a set in a folder that is empty or not there yet. */
export async function createSetWriter(folder: string): Promise<SetWriter> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new StartError(`The folder "${folder}" is not empty. A backup is made in a folder of its own.`);
  const files: Record<string, FileEntry> = {};
  return {
    async write(name, bytes) {
      // Objects are copied as they lie there, whatever they are called.
      const isObject = name.startsWith('objects/');
      const entry = await writeFileDurably(path.join(folder, name), bytes, !isObject && name.endsWith('.zst'));
      if (!isObject) files[name] = entry;
      return entry;
    },
    async finish(manifest) {
      const text = Buffer.from(`${JSON.stringify({ ...manifest, files }, null, 1)}\n`);
      const { sha256 } = await writeFileDurably(path.join(folder, 'manifest.json'), text, false);
      await writeFileDurably(path.join(folder, 'manifest.sha256'), Buffer.from(`${sha256}\n`), false);
    },
  };
}
