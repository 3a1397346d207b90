import { expect, test } from 'vitest';
import { readZip, writeZip } from './zip.ts';

const all = () => true;
const text = (value: string) => Buffer.from(value);
const nameIn = (archive: Buffer, from: string, to: string): Buffer => {
  const changed = Buffer.from(archive);
  for (let at = changed.indexOf(from); at !== -1; at = changed.indexOf(from, at + 1)) changed.write(to, at);
  return changed;
};

test('what is packed is unpacked, in order, and only what is wanted', () => {
  const entries = [
    { name: 'rules/a.yml', bytes: text('a: 1\n') },
    { name: 'rules/ü.py', bytes: text('x = 1\n'.repeat(1000)) },
    { name: 'empty', bytes: text('') },
  ];
  expect(readZip(writeZip(entries), all)).toEqual(entries);
  expect(readZip(writeZip(entries), (name) => name.endsWith('.yml'))).toHaveLength(1);
});

test('paths that leave the archive are refused', () => {
  const archive = writeZip([{ name: 'aa/bb/x.yml', bytes: text('a') }]);
  for (const name of ['../bb/x.yml', '/etc/passwdd', 'C:/bb/x.yml', String.raw`aa\..\x.yml`])
    expect(() => readZip(nameIn(archive, 'aa/bb/x.yml', name.padEnd(11, 'y').slice(0, 11)), all)).toThrow(
      /leaves its folder/,
    );
});

test('bombs are refused before they unfold, whatever their header says', () => {
  const bomb = writeZip([{ name: 'bomb.yml', bytes: Buffer.alloc(1_900_000, 0x61) }]);
  expect(() => readZip(bomb, all)).toThrow(/times its size/);
  const large = writeZip([{ name: 'large.yml', bytes: Buffer.alloc(3_000_000, 0x61) }]);
  expect(() => readZip(large, all)).toThrow(/more than 2000000 bytes/);
  // A header that promises 900 bytes for what holds far more.
  const lying = writeZip([{ name: 'lie.yml', bytes: Buffer.alloc(1_000_000, 0x61) }]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(1_000_000);
  const small = Buffer.alloc(4);
  small.writeUInt32LE(900);
  for (let at = lying.indexOf(size); at !== -1; at = lying.indexOf(size, at + 1)) small.copy(lying, at);
  expect(() => readZip(lying, all)).toThrow(/damaged/);
});

test('archives inside archives are files like any other', () => {
  const inner = writeZip([{ name: 'x.yml', bytes: text('a') }]);
  const outer = writeZip([{ name: 'inner.zip', bytes: inner }]);
  expect(readZip(outer, (name) => name.endsWith('.yml'))).toEqual([]);
});

test('damage, duplicates and what is no zip are refused', () => {
  const good = writeZip([{ name: 'a.yml', bytes: text('hello hello hello') }]);
  const flipped = Buffer.from(good);
  flipped.writeUInt8((flipped[38] ?? 0) ^ 0xff, 38);
  expect(() => readZip(flipped, all)).toThrow(/damaged/);
  expect(() => readZip(good.subarray(0, 30), all)).toThrow(/not a zip/);
  expect(() => readZip(Buffer.from('no zip'), all)).toThrow(/not a zip/);
  expect(() =>
    readZip(
      writeZip([
        { name: 'a', bytes: text('1') },
        { name: 'a', bytes: text('2') },
      ]),
      all,
    ),
  ).toThrow(/twice/);
});
