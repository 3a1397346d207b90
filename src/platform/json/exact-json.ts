/**
 * JSON whose numbers keep their text where a double would change them (integers beyond 2^53, long fractions, huge
 * exponents). Such a number is a raw JSON object (ECMAScript proposal "JSON.parse source text access").
 */

type RawNumber = { readonly rawJSON: string };
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
type SourceAwareJson = {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(text: string, reviver?: Reviver): unknown;
};

// The type library does not know these functions yet; Node 26 has them.
const json = JSON as unknown as SourceAwareJson;

/** A number in a place where a double might not hold it. A false alarm only costs the slower way. */
const riskyNumber = /[:[,\s]-?(?:\d[\d.]{14,}|\d[\d.]*[eE])/;

const keepText: Reviver = (_key, value, context) =>
  typeof value !== 'number' || context.source === undefined || String(value) === context.source
    ? value
    : json.rawJSON(context.source);

/** Like JSON.parse, exact for every number. Throws SyntaxError. Keys such as `__proto__` are data. */
export function parseJson(text: string): unknown {
  return riskyNumber.test(text) || /^-?\d/.test(text) ? json.parse(text, keepText) : json.parse(text);
}

/** A number to be written exactly as this text. */
export const rawNumber = (text: string): unknown => json.rawJSON(text);

/** The text of a number, exact; undefined for anything that is not one. */
export function numberText(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return json.isRawJSON(value) ? value.rawJSON : undefined;
}

/** True for objects of JSON: no array, no null, no raw number. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}

/**
 * Sets a key that comes from outside. Plain objects are many times faster to write as JSON than objects without a
 * prototype, and the one key that would not become data on them is set by definition.
 */
export function setKey(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
