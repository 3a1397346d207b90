/** Words of a line as access logs write them: separated by spaces, unless inside quotes or square brackets. */
export function splitWords(line: string): readonly string[] {
  const words: string[] = [];
  const { length } = line;
  for (let position = 0; position < length;) {
    const first = line[position];
    if (first === ' ') {
      position += 1;
      continue;
    }
    const close = first === '"' ? '"' : first === '[' ? ']' : ' ';
    const start = close === ' ' ? position : position + 1;
    let end = line.indexOf(close, start);
    while (close === '"' && end > 0 && isEscaped(line, end)) end = line.indexOf(close, end + 1);
    if (end === -1) end = length;
    words.push(line.slice(start, end));
    position = end + 1;
  }
  return words;
}

/** An odd number of backslashes before a character takes its meaning away. */
function isEscaped(line: string, at: number): boolean {
  let count = 0;
  while (line[at - 1 - count] === '\\') count += 1;
  return count % 2 === 1;
}

/** Pairs written as `key=value` or `key="a value"`; what stands between them is read over. */
export function* keyValues(text: string): Generator<readonly [string, string]> {
  const pair = /([A-Za-z_][\w.-]*)=(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s"']*))/g;
  for (const [, key = '', double, single, bare] of text.matchAll(pair)) {
    const quoted = double ?? single;
    yield [key, quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(["'\\])/g, '$1')];
  }
}

/** Values under their names in order. `-` and nothing stand for no value. */
export function named(names: readonly string[], values: readonly string[]): Record<string, unknown> {
  const event: Record<string, unknown> = Object.create(null);
  for (const [index, name] of names.entries()) {
    const value = values[index];
    if (value !== undefined && value !== '-' && value !== '') event[name] = value;
  }
  return event;
}

/** Takes a name out of an event and gives its text. */
export function take(event: Record<string, unknown>, name: string): string | undefined {
  const value = event[name];
  delete event[name];
  return typeof value === 'string' ? value : undefined;
}
