import { expect, test } from 'vitest';
import { seccompProgram } from './seccomp.ts';

/** Runs a classic BPF program over the data the kernel would hand it, as seccomp(2) describes. */
function decide(program: Buffer, call: { audit: number; number: number; arguments?: readonly number[] }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.audit, 4);
  for (const [index, value] of (call.arguments ?? []).entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let accumulator = 0;
  for (let position = 0; ; position += 8) {
    const code = program.readUInt16LE(position);
    const k = program.readUInt32LE(position + 4);
    const jump = (isTrue: boolean): number => program.readUInt8(position + (isTrue ? 2 : 3)) * 8;
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x15) position += jump(accumulator === k);
    else if (code === 0x35) position += jump(accumulator >= k);
    else if (code === 0x45) position += jump((accumulator & k) !== 0);
    else throw new Error(`unknown instruction ${code}`);
  }
}

const allow = 0x7fff0000;
const kill = 0x80000000;
const notPermitted = 0x00050001;
const noSuchCall = 0x00050026;
const machines = [
  { name: 'x64', audit: 0xc000003e, read: 0, socket: 41, ptrace: 101, mount: 165, clone: 56, ioctl: 16, keyctl: 250 },
  {
    name: 'arm64',
    audit: 0xc00000b7,
    read: 63,
    socket: 198,
    ptrace: 117,
    mount: 40,
    clone: 220,
    ioctl: 29,
    keyctl: 219,
  },
] as const;

test.each(machines)(
  'on $name the filter knows its calls',
  ({ name, audit, read, socket, ptrace, mount, clone, ...more }) => {
    const program = seccompProgram(name, 'reads');
    const verdict = (number: number, ...given: readonly number[]) =>
      decide(program, { audit, number, arguments: given });
    expect(verdict(read)).toBe(allow);
    expect(verdict(socket)).toBe(notPermitted);
    expect([ptrace, mount, more.keyctl].map((number) => verdict(number))).toEqual([kill, kill, kill]);
    // A thread as libc makes it; a process; a thread that asks for a new user namespace has no such right elsewhere.
    expect(verdict(clone, 0x003d0f00)).toBe(allow);
    expect(verdict(clone, 17)).toBe(notPermitted);
    expect(verdict(more.ioctl, 1, 0x5413)).toBe(allow);
    expect(verdict(more.ioctl, 0, 0x5412)).toBe(notPermitted);
    // clone3, io_uring_setup and whatever comes after them.
    expect([435, 425, 500].map((number) => verdict(number))).toEqual([noSuchCall, noSuchCall, noSuchCall]);
  },
);

test('a call by the numbers of another architecture ends the process', () => {
  const program = seccompProgram('x64', 'reads');
  expect(decide(program, { audit: 0x40000003, number: 3 })).toBe(kill);
  expect(decide(program, { audit: 0xc000003e, number: 0x40000000 })).toBe(kill);
});

test('only a program that needs it may write files', () => {
  const mkdir = { audit: 0xc000003e, number: 83 };
  expect(decide(seccompProgram('x64', 'reads'), mkdir)).toBe(notPermitted);
  expect(decide(seccompProgram('x64', 'writes'), mkdir)).toBe(allow);
  expect(decide(seccompProgram('x64', 'writes'), { audit: 0xc000003e, number: 41 })).toBe(notPermitted);
});

test('the program stays below the limit of the kernel', () => {
  for (const { name } of machines) expect(seccompProgram(name, 'writes').length / 8).toBeLessThan(4096);
});
