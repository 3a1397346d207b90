import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';

/** YAML 1.2 as content repositories are read: yes and no are texts, times stay texts, digits may be grouped by `_`. */

const groupedInteger = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?[0-9][0-9_]*$/,
  resolve: (text: string) => Number(text.replaceAll('_', '')),
} as const;
const binaryInteger = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^0b[01_]+$/,
  resolve: (text: string) => Number.parseInt(text.slice(2).replaceAll('_', ''), 2),
} as const;

/** Far above the largest file anybody writes; keeps a small file from costing much. */
const yamlCharactersMax = 2_000_000;
const aliasesMax = 100;
const depthMax = 100;

export type ParsedYaml = {
  readonly data: unknown;
  /** Line of the key at a path, or of the nearest key above it that exists. */
  lineOf(path: readonly PropertyKey[]): number;
};

/** Whether brackets or indentation nest deeper than any content does; checked before a recursive parser sees it. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > depthMax) return true;
  }
  return false;
}

/** The node one step down, and where it stands: at its key in a mapping, at itself in a list. */
function stepInto(node: unknown, step: PropertyKey): { readonly node: unknown; readonly at: number } | undefined {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
    const start = isNode(pair?.key) ? pair.key.range?.[0] : undefined;
    return pair === undefined || start === undefined ? undefined : { node: pair.value, at: start };
  }
  const item = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
  const start = isNode(item) ? item.range?.[0] : undefined;
  return start === undefined ? undefined : { node: item, at: start };
}

function lineFinder(document: Document, lines: LineCounter): ParsedYaml['lineOf'] {
  return (path) => {
    let line = 1;
    let node: unknown = document.contents;
    for (const step of path) {
      const found = stepInto(node, step);
      if (found === undefined) return line;
      line = lines.linePos(found.at).line;
      node = found.node;
    }
    return line;
  };
}

/** Parses one document. Throws an Error that names line and column and shows the line. */
export function parseYamlText(text: string): ParsedYaml {
  if (text.length > yamlCharactersMax) throw new Error(`has more than ${yamlCharactersMax} characters`);
  if (isTooDeep(text)) throw new Error(`is nested deeper than ${depthMax} levels`);
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    customTags: (tags) => [groupedInteger, binaryInteger, ...tags],
    uniqueKeys: true,
  });
  const error = document.errors[0];
  if (error) throw new Error(error.message.trim());
  return { data: document.toJS({ maxAliasCount: aliasesMax }) as unknown, lineOf: lineFinder(document, lines) };
}
