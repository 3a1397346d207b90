import { createHash } from 'node:crypto';

/**
 * The smallest hashes of the values seen, sorted. A random value falls anywhere in the range of the hash, so how dense
 * the smallest lie tells how many there are; as long as all fit, the number is exact.
 */
export type Values = readonly number[];

const hashBytes = 6;
const hashRange = 2 ** (8 * hashBytes);
/** The estimate beyond it is off by about 1 / √1024, three per cent. */
const valuesMax = 1024;

/** One value. */
export function valuesOf(value: string): Values {
  return [createHash('sha256').update(value).digest().readUIntBE(0, hashBytes)];
}

/** The values of both. */
export function addValues(a: Values = [], b: Values = []): Values {
  if (b.every((hash) => a.includes(hash))) return a;
  return [...new Set([...a, ...b])].toSorted((left, right) => left - right).slice(0, valuesMax);
}

/** How many different values there were: exact up to 1,023, an estimate beyond. */
export function distinctCount(values: Values): number {
  const largest = values.at(-1);
  if (values.length < valuesMax || largest === undefined) return values.length;
  return Math.round(((valuesMax - 1) * hashRange) / largest);
}
