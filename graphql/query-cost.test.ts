import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createQueryCost } from './query-cost.ts';
import { buildSchema } from './schema.ts';

const costOf = createQueryCost(buildSchema());
const cost = (query: string, variables = {}) => costOf(parse(query), undefined, variables);
const list = (input: string, head = '') =>
  `query ${head} { alerts(input: ${input}) { edges { node { id title } } pageInfo { endCursor } } }`;

test('a page counts as often as it has items, wherever its size stands', () => {
  const single = cost('{ alert(id: "x") { id title } }');
  expect(single).toBe(3);
  const hundred = cost(list('{pageSize: 100}'));
  expect(hundred).toBe(1 + 100 * 6);
  expect(cost(list('$input', '($input: AlertsInput!)'), { input: { pageSize: 100 } })).toBe(hundred);
  expect(cost(list('{pageSize: $size}', '($size: Int)'), { size: 100 })).toBe(hundred);
  expect(cost(list('{status: OPEN}'))).toBe(1 + 25 * 6);
});

test('what is no page size is taken for the usual one, and none is beyond bounds', () => {
  const asked = (size: unknown) => cost(list('$input', '($input: AlertsInput!)'), { input: { pageSize: size } });
  for (const size of [null, 'x', -1, Number.NaN, {}]) expect(asked(size)).toBe(1 + 25 * 6);
  expect(asked(1e300)).toBe(1 + 1000 * 6);
});

test('lists within pages multiply, fragments and aliases count, introspection does not', () => {
  const plain = cost('{ alerts(input: {pageSize: 10}) { edges { node { id } } } }');
  const deep = cost('{ alerts(input: {pageSize: 10}) { edges { node { id comments { body } } } } }');
  expect(deep - plain).toBe(10 * (1 + 10));
  const spread = cost('{ a: alert(id: "x") { ...f } b: alert(id: "y") { ...f } } fragment f on Alert { id title }');
  expect(spread).toBe(6);
  expect(cost('{ __schema { types { fields { args { name } } } } }')).toBe(1);
});
