import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import { DomainError } from '#platform/errors';

/** Zip archives as content repositories are sent (APPNOTE 6.3, sections 4.3 and 4.4): stored or deflated, not encrypted. */

export const zipLimits = {
  archiveBytes: 10 * 1024 * 1024,
  entries: 10_000,
  entryBytes: 2_000_000,
  totalBytes: 100 * 1024 * 1024,
  /** Unpacked against packed, of one entry: text does not shrink further. */
  ratio: 200,
};

const endSignature = 0x06054b50;
const centralSignature = 0x02014b50;
const localSignature = 0x04034b50;

export type ZipEntry = { readonly name: string; readonly bytes: Buffer };

const refuse = (message: string): DomainError =>
  new DomainError('bad_input', { publicMessage: message, field: 'data' });

/** The end record lies behind at most 64 KiB of comment. */
function findEnd(archive: Buffer): number {
  for (let at = archive.length - 22; at >= Math.max(0, archive.length - 22 - 0xffff); at--)
    if (archive.readUInt32LE(at) === endSignature) return at;
  throw refuse('The data is not a zip archive.');
}

/** A relative path without steps upwards, as it may be joined to a folder. */
function checkedName(name: string): string {
  const parts = name.split('/');
  const isUnsafe =
    name.includes('\0') ||
    name.includes('\\') ||
    name.startsWith('/') ||
    /^[A-Za-z]:/.test(name) ||
    parts.includes('..');
  if (isUnsafe) throw refuse(`The archive has the path "${name.slice(0, 200)}", which leaves its folder.`);
  return parts.filter((part) => part !== '' && part !== '.').join('/');
}

type Header = {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly localAt: number;
  readonly isLink: boolean;
  readonly next: number;
};

function readHeader(archive: Buffer, at: number): Header {
  if (at + 46 > archive.length || archive.readUInt32LE(at) !== centralSignature)
    throw refuse('The archive is damaged: its list of files ends too early.');
  const nameLength = archive.readUInt16LE(at + 28);
  const next = at + 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  const mode = archive.readUInt32LE(at + 38) >>> 16;
  return {
    name: archive.toString('utf8', at + 46, at + 46 + nameLength),
    flags: archive.readUInt16LE(at + 8),
    method: archive.readUInt16LE(at + 10),
    crc: archive.readUInt32LE(at + 16),
    packedBytes: archive.readUInt32LE(at + 20),
    bytes: archive.readUInt32LE(at + 24),
    localAt: archive.readUInt32LE(at + 42),
    isLink: (mode & 0o170000) === 0o120000,
    next,
  };
}

function unpack(archive: Buffer, header: Header, name: string): Buffer {
  const { localAt, packedBytes, bytes, method, flags, crc } = header;
  if ((flags & 1) === 1) throw refuse(`The archive's file "${name}" is encrypted.`);
  if (localAt + 30 > archive.length || archive.readUInt32LE(localAt) !== localSignature)
    throw refuse(`The archive is damaged at "${name}".`);
  const start = localAt + 30 + archive.readUInt16LE(localAt + 26) + archive.readUInt16LE(localAt + 28);
  const packed = archive.subarray(start, start + packedBytes);
  if (bytes > zipLimits.entryBytes)
    throw refuse(`The archive's file "${name}" has more than ${zipLimits.entryBytes} bytes.`);
  if (bytes > 1000 && bytes > packedBytes * zipLimits.ratio)
    throw refuse(`The archive's file "${name}" unpacks to more than ${zipLimits.ratio} times its size.`);
  let content: Buffer;
  if (method === 0) content = packed;
  else if (method === 8) {
    try {
      content = inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes) });
    } catch {
      throw refuse(`The archive is damaged at "${name}".`);
    }
  } else throw refuse(`The archive's file "${name}" is packed in a way that is not supported.`);
  if (content.length !== bytes || crc32(content) !== crc) throw refuse(`The archive is damaged at "${name}".`);
  return content;
}

/**
 * Unpacks the wanted files of an archive. Folders, links and what is not wanted are passed over unread; paths that
 * leave the archive, bombs, encryption and damage are refused with the name of the file.
 */
export function readZip(archive: Buffer, isWanted: (name: string) => boolean): readonly ZipEntry[] {
  if (archive.length > zipLimits.archiveBytes)
    throw refuse(`The archive has more than ${zipLimits.archiveBytes} bytes.`);
  const end = archive.length < 22 ? findEnd(Buffer.alloc(22)) : findEnd(archive);
  const count = archive.readUInt16LE(end + 10);
  if (count > zipLimits.entries) throw refuse(`The archive has more than ${zipLimits.entries} files.`);
  const entries = new Map<string, ZipEntry>();
  let total = 0;
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    const header = readHeader(archive, at);
    at = header.next;
    const name = checkedName(header.name);
    if (header.isLink || header.name.endsWith('/') || !isWanted(name)) continue;
    if (entries.has(name)) throw refuse(`The archive has the file "${name}" twice.`);
    total += header.bytes;
    if (total > zipLimits.totalBytes) throw refuse(`The archive unpacks to more than ${zipLimits.totalBytes} bytes.`);
    entries.set(name, { name, bytes: unpack(archive, header, name) });
  }
  return [...entries.values()];
}

/** The constant first moment that a zip can name, so that equal content gives equal bytes. */
const dosDate = 0x0021;

/** Packs files, in the order given. */
export function writeZip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of entries) {
    const packed = deflateRawSync(bytes, { level: 9 });
    const nameBytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(8, 4);
    common.writeUInt16LE(dosDate, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(localSignature);
    const head = Buffer.alloc(6);
    head.writeUInt32LE(centralSignature);
    head.writeUInt16LE(0x0314, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    central.push(head, common, tail, nameBytes);
    parts.push(local, common, nameBytes, packed);
    offset += 30 + nameBytes.length + packed.length;
  }
  const list = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}
