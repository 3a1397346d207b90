import type { LogStreamOptions, LogStreamType } from '../sources/http-source.ts';

/** A record inside the unpacked body, as bytes [start, end). */
export type RecordRange = { readonly start: number; readonly end: number };

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const newline = 0x0a;

const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === newline || byte === 0x0d || byte === 0x09;

function skipSpace(body: Buffer, from: number): number {
  let position = from;
  while (position < body.length && isSpace(body[position])) position += 1;
  return position;
}

function lineEnd(body: Buffer, from: number): number {
  const found = body.indexOf(newline, from);
  return found === -1 ? body.length : found;
}

/**
 * Position behind the string that begins at `from`, or -1 when it is not closed. A plain loop: most strings of logs are
 * so short that a call into the runtime for each costs more than looking at their bytes.
 */
function stringEnd(body: Buffer, from: number): number {
  const { length } = body;
  for (let position = from + 1; position < length; position++) {
    const byte = body[position];
    if (byte === quote) return position + 1;
    if (byte === backslash) position += 1;
  }
  return -1;
}

/** Position behind the JSON value that begins at `from`, or -1 when it is not closed. Only its form is looked at. */
function valueEnd(body: Buffer, from: number): number {
  const first = body[from];
  if (first === quote) return stringEnd(body, from);
  if (first !== openBrace && first !== openBracket) {
    let position = from;
    while (
      position < body.length &&
      !isSpace(body[position]) &&
      ![comma, closeBrace, closeBracket].includes(body[position] ?? comma)
    )
      position += 1;
    return position === from ? -1 : position;
  }
  let depth = 0;
  for (let position = from; position < body.length; position++) {
    const byte = body[position];
    if (byte === quote) {
      position = stringEnd(body, position) - 1;
      if (position < 0) return -1;
    } else if (byte === openBrace || byte === openBracket) depth += 1;
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      if (depth === 0) return position + 1;
    }
  }
  return -1;
}

/** The lines of a part of the body, blank ones left out. */
export function* lines(body: Buffer, from: number, to: number): Generator<RecordRange> {
  for (let start = from; start < to;) {
    const end = Math.min(lineEnd(body, start), to);
    const last = body[end - 1] === 0x0d ? end - 1 : end;
    const first = skipSpace(body, start);
    if (first < last) yield { start, end: last };
    start = end + 1;
  }
}

/** Elements of the array that begins at `from`; what cannot be read as one is given line by line. */
function* elements(body: Buffer, from: number): Generator<RecordRange, number> {
  let position = skipSpace(body, from + 1);
  while (position < body.length && body[position] !== closeBracket) {
    const end = valueEnd(body, position);
    if (end === -1) {
      yield* lines(body, position, body.length);
      return body.length;
    }
    yield { start: position, end };
    position = skipSpace(body, end);
    if (body[position] === comma) position = skipSpace(body, position + 1);
  }
  return position + 1;
}

const arrayStarts: ReadonlySet<number> = new Set([openBrace, openBracket, closeBracket, quote]);

/** The wrappers that vendors put around their records. */
const envelope = /^\s*\{\s*"(?:Records|records)"\s*:\s*\[/;

/** JSON values one after the other, pretty-printed or not; with `unwrap`, arrays and known wrappers give their elements. */
function* jsonValues(body: Buffer, unwrap: boolean): Generator<RecordRange> {
  for (let position = skipSpace(body, 0); position < body.length; position = skipSpace(body, position)) {
    const first = body[position];
    if (first !== openBrace && first !== openBracket) {
      const end = lineEnd(body, position);
      yield* lines(body, position, end);
      position = end;
      continue;
    }
    // A line of text may begin with a bracket too; an array of events goes on with one of them, or ends.
    if (first === openBracket && !arrayStarts.has(body[skipSpace(body, position + 1)] ?? closeBracket)) {
      const end = lineEnd(body, position);
      yield* lines(body, position, end);
      position = end;
      continue;
    }
    if (unwrap && first === openBracket) {
      position = yield* elements(body, position);
      continue;
    }
    const end = valueEnd(body, position);
    // A value that never ends is given up at its line, so that the lines behind it are still read.
    const stop = end === -1 ? lineEnd(body, position) : end;
    const head = unwrap && end !== -1 ? envelope.exec(body.toString('latin1', position, position + 64)) : null;
    if (head !== null) yield* elements(body, position + head[0].length - 1);
    else yield { start: position, end: stop };
    position = stop;
  }
}

/** Start of the array under a dotted path of keys, or -1. */
function findArray(body: Buffer, path: string): number {
  let position = skipSpace(body, 0);
  for (const key of path === '' ? [] : path.split('.')) {
    if (body[position] !== openBrace) return -1;
    position = findKey(body, position, key);
    if (position === -1) return -1;
  }
  return body[position] === openBracket ? position : -1;
}

/** Start of the value of a key of the object that begins at `from`, or -1. */
function findKey(body: Buffer, from: number, key: string): number {
  let position = skipSpace(body, from + 1);
  while (body[position] === quote) {
    const nameEnd = stringEnd(body, position);
    if (nameEnd === -1) return -1;
    const isIt = body.toString('utf8', position + 1, nameEnd - 1) === key;
    position = skipSpace(body, skipSpace(body, nameEnd) + 1);
    if (isIt) return position;
    const end = valueEnd(body, position);
    if (end === -1) return -1;
    position = skipSpace(body, end);
    if (body[position] === comma) position = skipSpace(body, position + 1);
  }
  return -1;
}

/**
 * Cuts an unpacked body into records. Bytes are never copied or changed; whatever does not have the expected form is
 * still given as a record, so that it can be kept with its reason.
 */
export function* recordsOf(body: Buffer, type: LogStreamType, options: LogStreamOptions): Generator<RecordRange> {
  switch (type) {
    case 'Lines':
      return yield* lines(body, 0, body.length);
    case 'JsonArray': {
      const start = findArray(body, options.jsonArrayEnvelopeField ?? '');
      if (start === -1) yield { start: 0, end: body.length };
      else yield* elements(body, start);
      return undefined;
    }
    case 'JSON':
      return yield* jsonValues(body, false);
    case 'Auto':
    case 'CloudWatchLogs':
    case 'XML': {
      const first = body[skipSpace(body, 0)];
      if (first === openBrace || first === openBracket) return yield* jsonValues(body, true);
      return yield* lines(body, 0, body.length);
    }
  }
}
