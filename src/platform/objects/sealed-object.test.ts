import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOpener, createSealer, isSealed, ObjectDamaged, openObject, sealObject } from './sealed-object.ts';

const dataKey = randomBytes(32);
const place = { tenantId: 'a', key: 'tenants/a/raw/1' };
const chunk = createSealer(dataKey, place).chunkBytes;
const headerBytes = createSealer(dataKey, place).header.length;
const sealedChunk = chunk + 16;

test('what was sealed opens again, whatever its size', () => {
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 17]) {
    const plain = randomBytes(size);
    const sealed = sealObject(dataKey, place, plain);
    expect(isSealed(sealed)).toBe(true);
    expect(sealed.length).toBe(headerBytes + size + 16 * Math.max(1, Math.ceil(size / chunk)));
    expect(openObject(dataKey, place, sealed).equals(plain)).toBe(true);
  }
});

test('one changed bit anywhere, or a cut or an addition at any place, does not open', () => {
  const sealed = sealObject(dataKey, place, randomBytes(5000));
  fc.assert(
    fc.property(fc.integer({ min: 8, max: sealed.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(() => openObject(dataKey, place, changed)).toThrow(ObjectDamaged);
      expect(() => openObject(dataKey, place, sealed.subarray(0, at))).toThrow(ObjectDamaged);
      expect(() => openObject(dataKey, place, Buffer.concat([sealed, sealed.subarray(0, at)]))).toThrow(ObjectDamaged);
    }),
  );
});

test('chunks that are left out, exchanged, repeated or cut off at their border do not open', () => {
  const sealed = sealObject(dataKey, place, randomBytes(4 * chunk));
  const header = sealed.subarray(0, headerBytes);
  const chunks = [0, 1, 2, 3].map((n) =>
    sealed.subarray(headerBytes + n * sealedChunk, headerBytes + (n + 1) * sealedChunk),
  );
  const of = (...order: readonly number[]) =>
    Buffer.concat([header, ...order.map((n) => chunks[n] ?? Buffer.alloc(0))]);
  expect(openObject(dataKey, place, of(0, 1, 2, 3))).toHaveLength(4 * chunk);
  for (const order of [[0, 1, 2], [0], [], [0, 2, 1, 3], [1, 2, 3], [0, 1, 1, 3], [0, 1, 2, 3, 3], [0, 3]])
    expect(() => openObject(dataKey, place, of(...order))).toThrow(ObjectDamaged);
  const other = sealObject(dataKey, place, randomBytes(4 * chunk));
  const mixed = Buffer.concat([of(0, 1), other.subarray(headerBytes + 2 * sealedChunk)]);
  expect(() => openObject(dataKey, place, mixed)).toThrow(ObjectDamaged);
});

test('an object opens under its own tenant, name and key only', () => {
  const sealed = sealObject(dataKey, place, Buffer.from('text'));
  expect(() => openObject(dataKey, { ...place, tenantId: 'b' }, sealed)).toThrow('changed at chunk 0');
  expect(() => openObject(dataKey, { ...place, key: 'tenants/a/raw/2' }, sealed)).toThrow('changed at chunk 0');
  expect(() => openObject(randomBytes(32), place, sealed)).toThrow('encrypted with another key');
});

test('the same bytes never look the same twice', () => {
  const plain = Buffer.alloc(100);
  const [a, b] = [sealObject(dataKey, place, plain), sealObject(dataKey, place, plain)];
  expect(a.subarray(headerBytes).equals(b.subarray(headerBytes))).toBe(false);
});

test('an object can be read piece by piece', () => {
  const plain = randomBytes(2 * chunk + 5);
  const sealed = sealObject(dataKey, place, plain);
  const opener = createOpener(dataKey, place, sealed.subarray(0, headerBytes));
  const parts: Buffer[] = [];
  for (let at = opener.headerBytes; at < sealed.length; at += opener.sealedChunkBytes)
    parts.push(
      opener.open(sealed.subarray(at, at + opener.sealedChunkBytes), at + opener.sealedChunkBytes >= sealed.length),
    );
  expect(Buffer.concat(parts).equals(plain)).toBe(true);
});
