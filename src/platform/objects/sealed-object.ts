import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

/**
 * An encrypted object: header, then chunks of AES-256-GCM. The header is magic (8 bytes, the last is the version), the
 * chunk size as a power of two (1), the id of the data key (8) and a salt (32). Each object has a key of its own,
 * derived with HKDF-SHA-256 from the data key and the salt, so nonces may simply count. A chunk's nonce is its number
 * and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015): chunks that
 * are exchanged, left out, cut off or added do not open. Header, tenant and object key are the associated data, so no
 * object opens in another place.
 */
const magic = Buffer.from([0x89, 0x4d, 0x47, 0x59, 0x4f, 0x42, 0x4a, 0x01]);
const keyIdBytes = 8;
const saltBytes = 32;
const headerBytes = magic.length + 1 + keyIdBytes + saltBytes;
const tagBytes = 16;
const chunkPower = 18; // 256 KiB: 16 bytes of each are overhead
const chunkPowerMax = 24;

/** What an object is bound to. */
export type ObjectPlace = { readonly tenantId: string; readonly key: string };

export class ObjectDamaged extends Error {
  override readonly name = 'ObjectDamaged';
}

const keyIdOf = (dataKey: Uint8Array): Buffer =>
  createHash('sha256').update('margay data key').update(dataKey).digest().subarray(0, keyIdBytes);

const keyOf = (dataKey: Uint8Array, salt: Uint8Array): Buffer =>
  Buffer.from(hkdfSync('sha256', dataKey, salt, 'margay object 1', 32));

const boundTo = (header: Uint8Array, { tenantId, key }: ObjectPlace): Buffer =>
  Buffer.concat([header, Buffer.from(`${tenantId}\n${key}`)]);

function nonceOf(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Encrypts an object piece by piece: memory for one chunk suffices. */
export function createSealer(dataKey: Uint8Array, place: ObjectPlace) {
  const salt = randomBytes(saltBytes);
  const header = Buffer.concat([magic, Buffer.from([chunkPower]), keyIdOf(dataKey), salt]);
  const [key, bound] = [keyOf(dataKey, salt), boundTo(header, place)];
  let index = 0;
  return {
    header,
    /** Every chunk but the last has exactly so many bytes. */
    chunkBytes: 2 ** chunkPower,
    seal(plain: Uint8Array, isLast: boolean): readonly Buffer[] {
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(index++, isLast)).setAAD(bound);
      return [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
    },
  };
}

/** Whether the bytes are an encrypted object; objects of earlier versions are not. */
export const isSealed = (bytes: Uint8Array): boolean =>
  bytes.length >= magic.length && magic.equals(bytes.subarray(0, magic.length));

/** Decrypts an object piece by piece. `start` is its first bytes. Throws ObjectDamaged; so does `open` for each chunk. */
export function createOpener(dataKey: Uint8Array, place: ObjectPlace, start: Buffer) {
  if (start.length < headerBytes) throw new ObjectDamaged('The object ends within its header.');
  const header = start.subarray(0, headerBytes);
  const power = header[magic.length] ?? 0;
  if (power > chunkPowerMax) throw new ObjectDamaged('The header of the object was changed.');
  if (!keyIdOf(dataKey).equals(header.subarray(magic.length + 1, magic.length + 1 + keyIdBytes)))
    throw new ObjectDamaged('The object was encrypted with another key.');
  const [key, bound] = [keyOf(dataKey, header.subarray(-saltBytes)), boundTo(header, place)];
  let index = 0;
  return {
    headerBytes,
    sealedChunkBytes: 2 ** power + tagBytes,
    open(sealed: Buffer, isLast: boolean): Buffer {
      if (sealed.length < tagBytes) throw new ObjectDamaged('The object was cut off.');
      const text = sealed.subarray(0, -tagBytes);
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(index, isLast), { authTagLength: tagBytes });
      decipher.setAAD(bound).setAuthTag(sealed.subarray(-tagBytes));
      try {
        const plain = decipher.update(text);
        decipher.final();
        index += 1;
        return plain;
      } catch (error) {
        throw new ObjectDamaged(`The object was changed at chunk ${index}.`, { cause: error });
      }
    },
  };
}

/** A whole object, encrypted. */
export function sealObject(dataKey: Uint8Array, place: ObjectPlace, plain: Uint8Array): Buffer {
  const sealer = createSealer(dataKey, place);
  const parts: Buffer[] = [sealer.header];
  let offset = 0;
  do {
    const end = offset + sealer.chunkBytes;
    parts.push(...sealer.seal(plain.subarray(offset, end), end >= plain.length));
    offset = end;
  } while (offset < plain.length);
  return Buffer.concat(parts);
}

/** A whole object, decrypted. Throws ObjectDamaged when it is not what was stored under this place. */
export function openObject(dataKey: Uint8Array, place: ObjectPlace, bytes: Buffer): Buffer {
  const opener = createOpener(dataKey, place, bytes);
  const parts: Buffer[] = [];
  let offset = opener.headerBytes;
  do {
    const end = offset + opener.sealedChunkBytes;
    parts.push(opener.open(bytes.subarray(offset, end), end >= bytes.length));
    offset = end;
  } while (offset < bytes.length);
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}
