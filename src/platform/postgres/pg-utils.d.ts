/** Part of the driver that its types leave out. */
declare module 'pg/lib/utils.js' {
  /** A value as the protocol carries it: null, text or bytes. */
  export function prepareValue(value: unknown): string | Buffer | null;
}
