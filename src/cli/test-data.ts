import { isDeepStrictEqual } from 'node:util';
import { isMap, isNode, isScalar, parseDocument, stringify, type Node, type YAMLMap } from 'yaml';

/** Puts enrichment into the events of unit tests and touches nothing else of the text: comments and layout stay. */

const key = 'p_enrichment';

type Edit = { readonly from: number; readonly to: number; readonly text: string };

/** Spaces before the place, when there is nothing else on its line. */
function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf('\n', at - 1) + 1);
}

const block = (value: unknown, indent: number): string =>
  stringify({ [key]: value }, { lineWidth: 0 })
    .trimEnd()
    .replaceAll('\n', `\n${' '.repeat(indent)}`);

/** JSON is YAML on one line. */
const flow = (value: unknown): string => `${JSON.stringify(key)}: ${JSON.stringify(value)}`;

const startOf = (node: unknown): number => (isNode(node) ? node.range?.[0] : undefined) ?? 0;
const endOf = (node: unknown): number => (isNode(node) ? node.range?.[1] : undefined) ?? 0;

function editOf(text: string, event: YAMLMap, value: unknown): Edit | undefined {
  const [first] = event.items;
  const old = event.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
  if (old !== undefined) {
    const from = startOf(old.key);
    const to = from + text.slice(from, endOf(old.value)).trimEnd().length;
    return { from, to, text: event.flow ? flow(value) : block(value, columnOf(text, from)) };
  }
  if (first === undefined) {
    const [from, to] = [startOf(event), endOf(event)];
    return event.flow ? { from, to, text: `{${flow(value)}}` } : undefined;
  }
  const at = startOf(first.key);
  if (event.flow) return { from: at, to: at, text: `${flow(value)}, ` };
  const indent = columnOf(text, at);
  return { from: at, to: at, text: `${block(value, indent)}\n${' '.repeat(indent)}` };
}

/** The event's mapping at its place, or undefined when it is something else there, an alias for one. */
function eventAt(root: Node | null, test: number): YAMLMap | undefined {
  const tests = isMap(root) ? root.get('Tests', true) : undefined;
  const item: unknown = isNode(tests) && 'get' in tests ? (tests as { get(at: number): unknown }).get(test) : undefined;
  if (!isMap(item)) return undefined;
  const event = item.get('Log', true) ?? item.get('Resource', true);
  return isMap(event) ? event : undefined;
}

/**
 * The text of a file with the enrichment of some of its tests, by their number. Throws an Error that says why when a
 * text is written in a way that cannot be edited in place.
 */
export function withEnrichment(text: string, enrichments: ReadonlyMap<number, unknown>): string {
  const { contents } = parseDocument(text);
  const edits = [...enrichments].map(([test, value]) => {
    const event = eventAt(contents, test);
    const edit = event && editOf(text, event, value);
    if (edit === undefined) throw new Error(`the event of test ${test + 1} is not written as a mapping in its place`);
    return edit;
  });
  const edited = edits
    .toSorted((a, b) => b.from - a.from)
    .reduce((result, { from, to, text: put }) => result.slice(0, from) + put + result.slice(to), text);
  const [before, after] = [parseDocument(text), parseDocument(edited)];
  for (const [test, value] of enrichments) eventAt(before.contents, test)?.set(key, before.createNode(value));
  if (after.errors.length > 0 || !isDeepStrictEqual(before.toJS(), after.toJS()))
    throw new Error('the file is written in a way that cannot be edited in place');
  return edited;
}
