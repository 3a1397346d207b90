import { z } from 'zod';
import { contentOperations, pythonOf, type SaveOutcome, type StoredDetection } from '#detections';
import { DomainError } from '#platform/errors';
import { pageQuery } from '../page-query.ts';
import { flag, list, optional, optionalText, textList, type ValuesOf } from '../query.ts';
import { type Caller, defineRoute, type RestRoute } from '../route.ts';
import { saveContent } from '../save-content.ts';
import { listOf, pageOf, severityNames } from '../shapes.ts';
import {
  bodyOf,
  type DetectionInput,
  type DetectionType,
  inputOf,
  inRestWords,
  referencesOf,
  shapeOf,
  specificationOf,
} from './shape.ts';
import { resultsShape, shownResults } from './tests.ts';

/** The same routes for each type of detection, under its own path. */
type Place = {
  readonly type: DetectionType;
  readonly path: string;
  /** One of them, and many, in a sentence; the first is also the name in operation ids. */
  readonly one: string;
  readonly many: string;
};

const commonQuery = {
  ...pageQuery,
  'name-contains': optionalText('Part of the name, in any case.'),
  state: optional(z.enum(['enabled', 'disabled']), 'Only those that are on, or off.'),
  severity: list(severityNames, 'Of one of these severities.'),
  tag: textList('With one of these tags, in any case.'),
  'created-by': optionalText('Made by this user or token.'),
  'last-modified-by': optionalText('Last changed by this user or token.'),
};

const includePython = {
  'include-python': flag('With `pythonBody`: Python that says the same, without the inline filters.'),
};

const logTypeQuery = { 'log-type': textList('For one of these log types.') };

/** Parameters of the lists beside those that all have. */
const ownQueries = {
  rule: logTypeQuery,
  simple_rule: { ...logTypeQuery, ...includePython },
  scheduled_rule: { 'scheduled-query': textList('On the results of one of these queries.') },
  policy: {
    'resource-type': textList('For one of these types of resources.'),
    'compliance-status': list(
      z.enum(['PASS', 'FAIL', 'ERROR']),
      'With one of these results; policies are not run on resources yet, so none has any.',
    ),
  },
  correlation_rule: {},
} as const;

type Lists = Readonly<Record<string, readonly string[] | undefined>>;

function filterOf(query: ValuesOf<typeof commonQuery> & Readonly<Record<string, unknown>>) {
  const lists = query as Lists;
  return {
    limit: query.limit,
    ...(query.cursor === undefined ? {} : { after: query.cursor }),
    ...(query['name-contains'] === undefined ? {} : { nameContains: query['name-contains'] }),
    ...(query.state === undefined ? {} : { isEnabled: query.state === 'enabled' }),
    ...(query['created-by'] === undefined ? {} : { createdById: query['created-by'] }),
    ...(query['last-modified-by'] === undefined ? {} : { lastModifiedById: query['last-modified-by'] }),
    severities: query.severity,
    tags: query.tag,
    logTypes: lists['log-type'] ?? [],
    resourceTypes: lists['resource-type'] ?? [],
    scheduledQueries: lists['scheduled-query'] ?? [],
  };
}

/** The Python of a rule in YAML, for who asks for it. */
function pythonField(query: unknown, { spec }: StoredDetection): { readonly pythonBody?: string } {
  const isWanted = (query as Partial<ValuesOf<typeof includePython>>)['include-python'] === true;
  const pythonBody = isWanted && spec !== undefined ? pythonOf(spec) : undefined;
  return pythonBody === undefined ? {} : { pythonBody };
}

async function logTypesFor({ type }: Place, items: Parameters<typeof referencesOf>[0][], { actor, services }: Caller) {
  if (type !== 'correlation_rule') return undefined;
  return services.content.logTypes(actor, [...new Set(items.flatMap(referencesOf))]);
}

function readRoutes(place: Place): readonly RestRoute[] {
  const { type, path, one, many } = place;
  const shape = shapeOf(type);
  return [
    defineRoute({
      id: `${one}#list`,
      method: 'GET',
      path,
      summary: `Searches ${many}.`,
      operation: contentOperations[type].list,
      query: { ...commonQuery, ...ownQueries[type] },
      answers: { 200: listOf(shape) },
      errors: [400],
      async handle({ query }, caller) {
        const wanted = query as ValuesOf<typeof commonQuery> & Lists;
        if ((wanted['compliance-status'] ?? []).length > 0) return pageOf([], null);
        const { items, next } = await caller.services.content.page(caller.actor, type, filterOf(wanted));
        const logTypes = await logTypesFor(place, [...items], caller);
        return pageOf(
          items.map((item) => ({ ...bodyOf(type, item, logTypes), ...pythonField(query, item) })),
          next,
        );
      },
    }),
    defineRoute({
      id: `${one}#get`,
      method: 'GET',
      path: `${path}/{id}`,
      summary: `Reads one ${one}.`,
      operation: contentOperations[type].get,
      ...(type === 'simple_rule' ? { query: includePython } : {}),
      answers: { 200: shape },
      errors: [404],
      async handle({ params, query }, caller) {
        const item = await caller.services.content.get(caller.actor, type, params);
        const body = bodyOf(type, item, await logTypesFor(place, [item], caller));
        return { status: 200, body: { ...body, ...pythonField(query, item) } };
      },
    }),
  ];
}

const testSwitches = {
  'run-tests-first': flag('Whether its unit tests must pass; true when absent.'),
  'run-tests-only': flag('Whether only to run the unit tests, and to save nothing.'),
};

function testsOf(query: ValuesOf<typeof testSwitches>): 'first' | 'none' | 'only' {
  if (query['run-tests-only'] === true) return 'only';
  return query['run-tests-first'] === false ? 'none' : 'first';
}

function refusal({ type }: Place, results: Extract<SaveOutcome, { kind: 'refused' }>['results']): DomainError {
  const failed = results.filter(({ passed }) => !passed).map(({ name }) => name);
  return new DomainError('bad_input', {
    publicMessage: `${failed.length} of ${results.length} unit tests failed: ${failed.join(', ')}`.slice(0, 1000),
    answer: { testResults: shownResults(type, results) },
  });
}

async function save(
  place: Place,
  how: 'create' | 'put',
  { body, query }: { readonly body: DetectionInput; readonly query: ValuesOf<typeof testSwitches> },
  caller: Caller,
) {
  const { actor, services } = caller;
  const { type } = place;
  const known = how === 'put' ? await services.content.find(actor, type, { id: body.id }) : undefined;
  const written = {
    specification: specificationOf(type, body, known),
    body: typeof body['body'] === 'string' ? body['body'] : '',
    tests: testsOf(query),
  };
  const outcome = await saveContent(type, how, { written, inOwnWords: inRestWords }, caller);
  if (outcome.kind === 'refused') throw refusal(place, outcome.results);
  if (outcome.kind === 'tested') return { status: 204 };
  const logTypes = await logTypesFor(place, [outcome.item], caller);
  return { status: how === 'put' && outcome.isNew ? 201 : 200, body: bodyOf(type, outcome.item, logTypes) };
}

function writeRoutes(place: Place): readonly RestRoute[] {
  const { type, path, one } = place;
  const [body, shape] = [inputOf(type), shapeOf(type)];
  const results = resultsShape[type === 'correlation_rule' ? 'correlation' : 'event'];
  const common = { query: testSwitches, body, failure: { testResults: results.optional() } };
  return [
    defineRoute({
      ...common,
      id: `${one}#create`,
      method: 'POST',
      path,
      summary: `Makes a ${one}. Its unit tests run first.`,
      operation: contentOperations[type].create,
      answers: { 200: shape, 204: null },
      errors: [400, 409],
      handle: (request, caller) => save(place, 'create', request, caller),
    }),
    defineRoute({
      ...common,
      id: `${one}#put`,
      method: 'PUT',
      path: `${path}/{id}`,
      summary: `Makes or replaces a ${one}. Its unit tests run first.`,
      operation: contentOperations[type].put,
      answers: { 200: shape, 201: shape, 204: null },
      errors: [400],
      async handle(request, caller) {
        if (request.body.id !== request.params['id'])
          throw new DomainError('bad_input', { field: 'id', publicMessage: 'id: differs from the id in the address' });
        return save(place, 'put', request, caller);
      },
    }),
    defineRoute({
      id: `${one}#delete`,
      method: 'DELETE',
      path: `${path}/{id}`,
      summary: `Deletes a ${one}; its history stays.`,
      operation: contentOperations[type].delete,
      answers: { 204: null },
      errors: [400, 404],
      async handle({ params }, { actor, services }) {
        await services.content.delete(actor, type, params);
        return { status: 204 };
      },
    }),
  ];
}

const places: readonly Place[] = [
  { type: 'rule', path: '/rules', one: 'rule', many: 'rules in Python' },
  { type: 'scheduled_rule', path: '/scheduled-rules', one: 'scheduled rule', many: 'scheduled rules in Python' },
  { type: 'simple_rule', path: '/simple-rules', one: 'simple rule', many: 'rules in YAML' },
  { type: 'policy', path: '/policies', one: 'policy', many: 'policies' },
  { type: 'correlation_rule', path: '/correlation-rules', one: 'correlation rule', many: 'correlation rules' },
];

/** Routes of the five types of detections. */
export const detectionRoutes = places.flatMap((place) => [...readRoutes(place), ...writeRoutes(place)]);
