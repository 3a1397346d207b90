import { constants, existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type BundleFile, bundleName, layOut, wallFiles } from '#platform/walls';

/** 64 KiB pages: the ceiling of a sandbox's Python heap, 512 MiB. Python then raises MemoryError and lives on. */
const heapPagesMax = 8192;
const hostFiles = ['main.ts', 'frames.ts', 'interpreter.ts'];
const pyodideFiles = ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'python_stdlib.zip', 'pyodide-lock.json'];
/** Made by `npm run generate` from packages, each beside the licence of its own. */
const libraryTables = ['policyuniverse/actions', 'pycountry/table'].flatMap((name) => [
  `${name}.json`,
  `${name}.LICENSE`,
]);

function readLeb(bytes: Uint8Array, start: number): { readonly value: number; readonly length: number } {
  let value = 0;
  for (let index = 0; ; index++) {
    const byte = bytes[start + index] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, length: index + 1 };
  }
}

/** Writes a number in exactly `length` LEB128 bytes, padded, so that nothing behind it moves. */
function writeLeb(bytes: Uint8Array, start: number, length: number, value: number): void {
  for (let index = 0; index < length; index++) {
    const isLast = index === length - 1;
    bytes[start + index] = (Math.floor(value / 2 ** (7 * index)) & 0x7f) | (isLast ? 0 : 0x80);
  }
}

/**
 * Lowers the maximum of the memory that a WebAssembly module defines (core specification, section 5.5.8).
 * Throws when the module has no such section, rather than leaving the heap uncapped.
 */
function capWasmMemory(wasm: Uint8Array, pagesMax: number): Uint8Array {
  const bytes = Uint8Array.from(wasm);
  for (let position = 8; position < bytes.length;) {
    const section = bytes[position];
    const size = readLeb(bytes, position + 1);
    const content = position + 1 + size.length;
    if (section !== 5) {
      position = content + size.value;
      continue;
    }
    const count = readLeb(bytes, content);
    const flags = content + count.length;
    const initial = readLeb(bytes, flags + 1);
    const maximumAt = flags + 1 + initial.length;
    if ((bytes[flags] ?? 0) % 2 === 0) throw new Error('The memory of the interpreter has no maximum to lower.');
    const maximum = readLeb(bytes, maximumAt);
    if (initial.value > pagesMax) throw new Error('The interpreter starts larger than its ceiling.');
    writeLeb(bytes, maximumAt, maximum.length, Math.min(pagesMax, maximum.value));
    return bytes;
  }
  throw new Error('The interpreter defines no memory of its own.');
}

async function guestFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.py')).toSorted();
}

async function collect(): Promise<readonly BundleFile[]> {
  const pyodide = path.dirname(createRequire(import.meta.url).resolve('pyodide/package.json'));
  const guest = path.join(import.meta.dirname, '../guest');
  const files: BundleFile[] = [
    // A snapshot made by one version of Node is not trusted to fit another.
    ['version', Buffer.from(`${process.version} ${process.arch}\n`)],
    ['package.json', Buffer.from('{"type":"module"}')],
    ...(await wallFiles('reads')),
  ];
  for (const name of hostFiles) files.push([name, await readFile(path.join(import.meta.dirname, name))]);
  const indexFolder = path.join(import.meta.dirname, 'rule-index');
  for (const name of (await readdir(indexFolder))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .toSorted())
    files.push([`rule-index/${name}`, await readFile(path.join(indexFolder, name))]);
  for (const name of pyodideFiles) {
    const bytes = await readFile(path.join(pyodide, name));
    files.push([`pyodide/${name}`, name.endsWith('.wasm') ? capWasmMemory(bytes, heapPagesMax) : bytes]);
  }
  for (const name of await guestFiles(guest)) files.push([`guest/${name}`, await readFile(path.join(guest, name))]);
  const tables = path.join(import.meta.dirname, '../generated');
  for (const name of libraryTables) files.push([`guest/${name}`, await readFile(path.join(tables, name))]);
  return files;
}

/** In a bundle: the memory of a started interpreter that has seen no tenant. */
export const genericSnapshotOf = (bundle: string): string => path.join(bundle, 'generic.snapshot');

const installedFolder = path.join(import.meta.dirname, '../generated/interpreter');
const installedAs = (files: readonly BundleFile[]): string =>
  path.join(installedFolder, `${bundleName(files)}.snapshot`);

/** Where `npm run generate` keeps it for the bundle of this installation. */
export const installedSnapshot = async (): Promise<string> => installedAs(await collect());

/** Copies a file so that whoever looks finds all of it or none, also when several do so at once. */
export async function copyWhole(from: string, to: string): Promise<void> {
  const temporary = `${to}.${process.pid}`;
  try {
    await mkdir(path.dirname(to), { recursive: true });
    await copyFile(from, temporary, constants.COPYFILE_FICLONE);
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Lays out what a sandbox may read, in a folder named by its content, readable by any user: the interpreter with a
 * capped heap, our engine, the host program, and the generic snapshot if it was made when this was installed. Returns
 * the folder; a second call finds it ready.
 */
export async function buildBundle(parent: string): Promise<string> {
  const files = await collect();
  const bundle = await layOut(parent, files);
  const snapshot = genericSnapshotOf(bundle);
  const installed = installedAs(files);
  if (!existsSync(snapshot) && existsSync(installed)) await copyWhole(installed, snapshot);
  return bundle;
}
