import { expect, test } from 'vitest';
import { restOperations } from '#http';
import { openApiDocument, sections } from '../../../src/http/rest/openapi.ts';
import { restOperationList } from '../../compat/rest-operations.ts';

test('every operation of the public REST API is routed, on its path and with its statuses', () => {
  for (const [id, method, path, statuses] of restOperationList) {
    const route = restOperations.find((candidate) => candidate.id === id);
    expect(route && [id, route.method, route.path], id).toEqual([id, method, path]);
    if (route?.operation.owedTo === undefined)
      expect([id, Object.keys(route?.answers ?? {}).map(Number)]).toEqual([id, [...statuses]]);
  }
});

test('no path has two routes, and nothing is routed that clients do not know', () => {
  const places = restOperations.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(places).size).toBe(places.length);
  expect(restOperations.length).toBe(restOperationList.length);
});

test('the document names every route, with its permission, and every reference in it resolves', () => {
  const document = openApiDocument(restOperations, '1.0.0') as {
    paths: Record<string, Record<string, { operationId: string; description: string; responses: object }>>;
  };
  const named = Object.values(document.paths).flatMap((group) => Object.values(group));
  expect(named.map(({ operationId }) => operationId).toSorted()).toEqual(restOperations.map(({ id }) => id).toSorted());
  for (const { operationId, responses } of named)
    for (const status of ['400', '401', '403', '429', '500'])
      expect(Object.keys(responses), operationId).toContain(status);
  expect(JSON.stringify(document)).not.toContain('"$ref"');
});

test('every route is in a section that readers see, and what is owed is in one that says so', () => {
  const sectionOf = ({ id }: (typeof restOperations)[number]) => sections[id.split('#')[0] ?? ''] ?? `${id} is in none`;
  const found = new Set(restOperations.map(sectionOf));
  expect([...found].toSorted()).toEqual(Object.values(sections).toSorted());
  for (const route of restOperations)
    expect([route.id, sectionOf(route).endsWith('(not available yet)')]).toEqual([
      route.id,
      route.operation.owedTo !== undefined,
    ]);
});

test('what is owed is owed to these parts of the product, and to no other', () => {
  const owed = restOperations.filter(({ operation }) => operation.owedTo !== undefined);
  const byPart = Object.groupBy(owed, ({ operation }) => operation.owedTo ?? '');
  const subjects = Object.entries(byPart).map(([part, routes = []]) => [
    part,
    [...new Set(routes.map(({ id }) => id.split('#')[0]))],
  ]);
  expect(Object.fromEntries(subjects)).toEqual({
    'bucket transport': ['gcs source', 's3 source'],
    'cloud scanning': ['aws cloud account'],
    'log forwarder': ['log forwarder source'],
    'queue transport': ['pub/sub source'],
  });
});
