import { SqlProblem } from '../language/sql-problem.ts';
import type { Expr } from '../plan/plan.ts';
import { booleanType, stringType } from '../plan/type.ts';
import type { Binder, Place } from './binder.ts';
import { comparable, convert, literal, toText } from './coerce.ts';
import { listOf, nodeOf, placeOf, tagged } from './node.ts';

const negated = (expr: Expr, isNegated: boolean): Expr =>
  isNegated ? { node: 'operator', operator: 'not', args: [expr], type: booleanType } : expr;

/** Items of `ANY ('a', 'b')`; one pattern alone is read as an expression in parentheses. */
function patternNodes(node: unknown): readonly unknown[] {
  const { tag, body } = tagged(node);
  if (tag === 'Tuple') return listOf(body);
  return [tag === 'Nested' ? body : node];
}

/** The escape character written as text in the statement; undefined when there is none. */
function escapeOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = String(tagged(nodeOf(value)['value']).body);
  if (text.length !== 1) throw new SqlProblem('ESCAPE takes one character.', { place: placeOf(value) });
  return text;
}

/** Makes the pattern one whose escape character is the backslash, which stands for itself when there is no ESCAPE. */
function normalPattern(pattern: Expr, escape: string | undefined): Expr {
  if (escape === '\\' && pattern.node !== 'literal') return toText(pattern);
  if (pattern.node !== 'literal' || typeof pattern.value !== 'string')
    return { node: 'call', name: 'LIKE_PATTERN', args: [toText(pattern)], type: stringType };
  let text = '';
  for (let at = 0; at < pattern.value.length; at++) {
    const char = pattern.value[at] ?? '';
    const next = pattern.value[at + 1];
    if (char === escape && next !== undefined) {
      text += `\\${next}`;
      at += 1;
    } else text += char === '\\' ? '\\\\' : char;
  }
  return literal(text, stringType);
}

/** One text against one pattern. */
export const likeTest = (text: Expr, pattern: Expr, escape: string | undefined, ignoresCase: boolean): Expr => ({
  node: 'call',
  name: ignoresCase ? 'ILIKE' : 'LIKE',
  args: [text, normalPattern(pattern, escape)],
  type: booleanType,
});

/** LIKE and ILIKE, with ANY and lists. */
export function bindLike(binder: Binder, body: unknown, at: Place, ignoresCase: boolean): Expr {
  const node = nodeOf(body);
  const expr = toText(binder.expr(node['expr'], at));
  const escape = escapeOf(node['escape_char']) ?? binder.dialect.likeEscape;
  const nodes = node['any'] === true ? patternNodes(node['pattern']) : [node['pattern']];
  const tests = nodes.map((item) => likeTest(expr, binder.expr(item, at), escape, ignoresCase));
  const any = tests.reduce((left, right): Expr => ({
    node: 'operator',
    operator: 'or',
    args: [left, right],
    type: booleanType,
  }));
  return negated(any, node['negated'] === true);
}

/** `a RLIKE 'pattern'`: anchored at both ends. */
export function bindRegexp(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const args = [
    toText(binder.expr(node['expr'], at)),
    toText(binder.expr(node['pattern'], at)),
    literal('', stringType),
  ];
  return negated({ node: 'call', name: 'REGEXP_LIKE', args, type: booleanType }, node['negated'] === true);
}

/** `a IN (1, 2)`. */
export function bindInList(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const left = binder.expr(node['expr'], at);
  const pairs = listOf(node['list']).map((item) => comparable(left, binder.expr(item, at), placeOf(item)));
  const expr = pairs[0]?.[0] ?? left;
  const items = pairs.map(([, item]) => convert(item, expr.type));
  if (items.length === 0) throw new SqlProblem('the list of IN is empty.', { place: placeOf(node) });
  return { node: 'in', expr, items, isNegated: node['negated'] === true, type: booleanType };
}

/** `a IN (SELECT …)`, also of several columns. */
export function bindInQuery(binder: Binder, body: unknown, at: Place): Expr {
  const node = nodeOf(body);
  const { tag, body: inner } = tagged(node['expr']);
  const query = binder.query(node['subquery'], at);
  const lefts = (tag === 'Tuple' ? listOf(inner) : [node['expr']]).map((item) => binder.expr(item, at));
  if (lefts.length !== query.columns.length)
    throw new SqlProblem(`the query of IN has ${query.columns.length} columns, the left side ${lefts.length}.`, {
      place: placeOf(node),
    });
  const args = lefts.map((left, index) => {
    const type = query.columns[index]?.type ?? left.type;
    return convert(left, type.kind === 'object' ? { kind: 'variant' } : type, placeOf(node));
  });
  return { node: 'in query', args, query, isNegated: node['negated'] === true, type: booleanType };
}
