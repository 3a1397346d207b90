import { z } from 'zod';
import { detectionOperations, type StoredDetection } from '#detections';
import { DomainError, notFound } from '#platform/errors';
import {
  type RuleInput,
  ruleBody,
  ruleInput,
  ruleShape,
  specificationOf,
  testResultBody,
  testResultShape,
} from './detection-shape.ts';
import { flag, limit, list, optional, optionalText, textList, type ValuesOf } from './query.ts';
import { type Caller, defineRoute, operationIn } from './route.ts';
import { listOf, pageOf, severityNames } from './shapes.ts';

const operation = operationIn(detectionOperations);

const listQuery = {
  cursor: optionalText('`next` of the page before.'),
  limit: limit({ usual: 100, max: 1000 }),
  'name-contains': optionalText('Part of the name, in any case.'),
  state: optional(z.enum(['enabled', 'disabled']), 'Only those that are on, or off.'),
  severity: list(severityNames, 'Of one of these severities.'),
  tag: textList('With one of these tags, in any case.'),
  'created-by': optionalText('Made by this user or token.'),
  'last-modified-by': optionalText('Last changed by this user or token.'),
  'log-type': textList('For one of these log types.'),
};

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** Whether a rule fits the filters. Who made rules is not recorded yet, so nothing is by anybody. */
function fits(rule: StoredDetection, query: ValuesOf<typeof listQuery>): boolean {
  const spec: Readonly<Record<string, unknown>> = { ...rule.spec };
  const name = (typeof spec['DisplayName'] === 'string' ? spec['DisplayName'] : rule.id).toLowerCase();
  const tags = texts(spec['Tags']).map((tag) => tag.toLowerCase());
  const logTypes = texts(spec['LogTypes']);
  return (
    (!query['name-contains'] || name.includes(query['name-contains'].toLowerCase())) &&
    (query.state === undefined || (query.state === 'enabled') === rule.isEnabled) &&
    (query.severity.length === 0 ||
      query.severity.some((severity) => severity === String(spec['Severity']).toUpperCase())) &&
    (query.tag.length === 0 || query.tag.some((tag) => tags.includes(tag.toLowerCase()))) &&
    (query['log-type'].length === 0 || query['log-type'].some((logType) => logTypes.includes(logType))) &&
    query['created-by'] === undefined &&
    query['last-modified-by'] === undefined
  );
}

/** A Python rule; what is of another kind does not exist here. */
async function findRule(id: string | undefined, { actor, services }: Caller): Promise<StoredDetection | undefined> {
  const all = await services.detections.list(actor, {});
  return all.find((item) => item.id === id && isPythonRule(item));
}

const isPythonRule = ({ kind, spec }: StoredDetection): boolean =>
  kind === 'RULE' && !('Detection' in spec && spec.Detection !== undefined) && !('BaseDetection' in spec);

const testSwitches = {
  'run-tests-first': flag('Whether its unit tests must pass; true when absent.'),
  'run-tests-only': flag('Whether only to run the unit tests, and to save nothing.'),
};

/** Runs the unit tests as asked. True when that was all; throws with the results when one fails. */
async function onlyTested(
  rule: RuleInput,
  query: ValuesOf<typeof testSwitches>,
  { actor, services }: Caller,
): Promise<boolean> {
  const isOnly = query['run-tests-only'] === true;
  if (!isOnly && query['run-tests-first'] === false) return false;
  if (!rule.tests || rule.tests.length === 0) return isOnly;
  const results = await services.testing.test(actor, { specification: specificationOf(rule), body: rule.body });
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length > 0)
    throw new DomainError('bad_input', {
      publicMessage:
        `${failed.length} of ${results.length} unit tests failed: ${failed.map(({ name }) => name).join(', ')}`.slice(
          0,
          1000,
        ),
      answer: { testResults: results.map(testResultBody) },
    });
  return isOnly;
}

const save = async (rule: RuleInput, { actor, services }: Caller) =>
  ruleBody(await services.detections.save(actor, { specification: specificationOf(rule), body: rule.body }));

const readRoutes = [
  defineRoute({
    id: 'rule#list',
    method: 'GET',
    path: '/rules',
    summary: 'Python rules.',
    operation: operation('detections'),
    query: listQuery,
    answers: { 200: listOf(ruleShape) },
    errors: [400],
    async handle({ query }, { actor, services }) {
      const all = await services.detections.list(actor, {});
      const found = all.filter((item) => isPythonRule(item) && fits(item, query));
      const rest = query.cursor === undefined ? found : found.filter(({ id }) => id > (query.cursor ?? ''));
      const page = rest.slice(0, query.limit);
      return pageOf(page.map(ruleBody), rest.length > page.length ? (page.at(-1)?.id ?? null) : null);
    },
  }),
  defineRoute({
    id: 'rule#get',
    method: 'GET',
    path: '/rules/{id}',
    summary: 'One Python rule.',
    operation: operation('detection'),
    answers: { 200: ruleShape },
    errors: [404],
    async handle({ params }, caller) {
      const found = await findRule(params['id'], caller);
      if (found === undefined) throw notFound('rule', params['id'] ?? '');
      return { status: 200, body: ruleBody(found) };
    },
  }),
];

export const ruleRoutes = [
  ...readRoutes,
  defineRoute({
    id: 'rule#create',
    method: 'POST',
    path: '/rules',
    summary: 'Makes a Python rule. Its unit tests run first.',
    operation: operation('saveDetection'),
    query: testSwitches,
    body: ruleInput,
    answers: { 200: ruleShape, 204: null },
    errors: [400, 409],
    failure: { testResults: z.array(testResultShape).optional() },
    async handle({ body, query }, caller) {
      const known = await caller.services.detections.list(caller.actor, {});
      if (known.some(({ id }) => id === body.id))
        throw new DomainError('conflict', { field: 'id', publicMessage: `There is a detection "${body.id}" already.` });
      if (await onlyTested(body, query, caller)) return { status: 204 };
      return { status: 200, body: await save(body, caller) };
    },
  }),
  defineRoute({
    id: 'rule#put',
    method: 'PUT',
    path: '/rules/{id}',
    summary: 'Makes or replaces a Python rule. Its unit tests run first.',
    operation: operation('saveDetection'),
    query: testSwitches,
    body: ruleInput,
    answers: { 200: ruleShape, 201: ruleShape, 204: null },
    errors: [400],
    failure: { testResults: z.array(testResultShape).optional() },
    async handle({ params, body, query }, caller) {
      if (body.id !== params['id'])
        throw new DomainError('bad_input', { field: 'id', publicMessage: 'id: differs from the id in the address' });
      if (await onlyTested(body, query, caller)) return { status: 204 };
      const status = (await findRule(body.id, caller)) === undefined ? 201 : 200;
      return { status, body: await save(body, caller) };
    },
  }),
  defineRoute({
    id: 'rule#delete',
    method: 'DELETE',
    path: '/rules/{id}',
    summary: 'Deletes a Python rule.',
    operation: operation('deleteDetection'),
    answers: { 204: null },
    errors: [400, 404],
    async handle({ params }, caller) {
      const found = await findRule(params['id'], caller);
      if (found === undefined) throw notFound('rule', params['id'] ?? '');
      await caller.services.detections.delete(caller.actor, { id: found.id });
      return { status: 204 };
    },
  }),
];
