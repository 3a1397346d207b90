/** What a reader says on its standard output: a byte of kind, four of length, then that many. */
export const frameKinds = { rows: 1, progress: 2, end: 3, failure: 4, ready: 5 } as const;

/** One frame as bytes. */
export function frame(kind: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32LE(body.length, 1);
  return Buffer.concat([head, body]);
}
