import { restOperations } from '#http';

type Options = {
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
};

export type RestAnswer = { readonly status: number; readonly body: unknown; readonly contentType: string | null };

/** A form's fields: texts, and bytes as a file. */
function formOf(fields: object): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields))
    form.append(name, Buffer.isBuffer(value) ? new Blob([new Uint8Array(value)]) : String(value));
  return form;
}

function sentBody({ isForm }: { readonly isForm?: boolean }, body: unknown): { body?: string | FormData } {
  if (body === undefined) return {};
  return { body: isForm && typeof body === 'object' && body !== null ? formOf(body) : JSON.stringify(body) };
}

/** Asks one route by its id, and checks the answer against what the route declares. */
export async function askRoute(url: string, id: string, options: Options = {}): Promise<RestAnswer> {
  const route = restOperations.find((candidate) => candidate.id === id);
  if (route === undefined) throw new Error(`no route ${id}`);
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(options.params?.[name] ?? 'none'),
  );
  const response = await fetch(`${url}${path}${options.query ? `?${options.query}` : ''}`, {
    method: route.method,
    ...sentBody(route, options.body),
    headers: {
      ...(options.token === undefined ? {} : { 'x-api-key': options.token }),
      ...(options.body === undefined || route.isForm ? {} : { 'content-type': 'application/json' }),
    },
  });
  const text = await response.text();
  const isFile = response.ok && route.media !== undefined;
  const body: unknown = isFile ? text : text === '' ? undefined : JSON.parse(text);
  const declared = route.answers[response.status];
  if (response.ok) {
    if (declared === undefined) throw new Error(`${id} answered ${response.status}, which it does not declare`);
    if (isFile && !route.media?.some((type) => response.headers.get('content-type')?.startsWith(type)))
      throw new Error(`${id} answered a file of a type that it does not declare`);
    if (declared === null && text !== '' && !isFile) throw new Error(`${id} answered ${response.status} with a body`);
    declared?.parse(body);
  } else if (typeof (body as { message?: unknown } | undefined)?.message !== 'string')
    throw new Error(`${id} answered ${response.status} without a message: ${text.slice(0, 200)}`);
  return { status: response.status, body, contentType: response.headers.get('content-type') };
}

/** Asks routes of one deployment as the holder of a token. */
export const restAs =
  (url: string, token: string) =>
  (id: string, options: Options = {}): Promise<RestAnswer> =>
    askRoute(url, id, { ...options, token });

/** One field of an answer that is an object. */
export const field = (answer: RestAnswer, name: string) => (answer.body as Record<string, unknown>)[name];
export const idOf = (answer: RestAnswer, name = 'id') => String(field(answer, name));
/** Items of an answer that is a list. */
export const results = (answer: RestAnswer) => field(answer, 'results') as Record<string, unknown>[];

const sampleDetection = (id: string) => ({ id, body: 'def rule(event):\n    return False\n', severity: 'LOW' });
const sampleSimple = (id: string) => ({
  id,
  detection: '- Key: action\n  Condition: Equals\n  Value: x\n',
  severity: 'LOW',
  logTypes: ['GitHub.Audit'],
});
const sampleCorrelation = (id: string) => ({
  id,
  detection: 'Group:\n  - RuleID: A\nSchedule: { RateMinutes: 15, TimeoutMinutes: 5 }\n',
  severity: 'LOW',
});

/** A body that a route takes, whose ids nobody has. */
export const sampleBodies: Readonly<Record<string, unknown>> = {
  'comment#create': { alertId: 'f'.repeat(32), body: 'x', format: 'PLAIN_TEXT' },
  'comment#update': { alertId: 'f'.repeat(32), body: 'x', format: 'PLAIN_TEXT' },
  'contexttag#create': { tag: 'sample' },
  'contexttag#update': { tag: 'other' },
  'alert#bulkPatch': { ids: ['f'.repeat(32)], status: 'TRIAGED' },
  'alert#patch': { status: 'TRIAGED' },
  'api token#create': { name: 'sample', permissions: ['AlertRead'] },
  'api token#update': { name: 'sample', permissions: ['AlertRead'] },
  'role#create': { name: 'Sample', permissions: ['AlertRead'] },
  'role#update': { name: 'Sample', permissions: ['AlertRead'] },
  'user#create': {
    email: 'sample@example.com',
    givenName: 'S',
    familyName: 'A',
    role: { name: 'AnalystReadOnly' },
  },
  'user#update': {
    email: 'sample@example.com',
    givenName: 'S',
    familyName: 'A',
    role: { name: 'AnalystReadOnly' },
  },
  'http source#create': {
    integrationLabel: 'sample',
    logTypes: ['GitHub.Audit'],
    logStreamType: 'Auto',
    authMethod: 'None',
  },
  'http source#put': {
    integrationLabel: 'sample',
    logTypes: ['GitHub.Audit'],
    logStreamType: 'Auto',
    authMethod: 'None',
  },
  'log source alarm#put': { minutesThreshold: 60 },
  'rule#create': {
    id: 'Sample.Rule',
    body: 'def rule(event):\n    return False\n',
    severity: 'LOW',
    logTypes: ['GitHub.Audit'],
  },
  'rule#put': { id: 'none', body: 'def rule(event):\n    return False\n', severity: 'LOW', logTypes: ['GitHub.Audit'] },
  'scheduled rule#create': { ...sampleDetection('Sample.Scheduled'), scheduledQueries: ['Sample'] },
  'scheduled rule#put': { ...sampleDetection('none'), scheduledQueries: ['Sample'] },
  'simple rule#create': { ...sampleSimple('Sample.Simple') },
  'simple rule#put': { ...sampleSimple('none') },
  'policy#create': { ...sampleDetection('Sample.Policy'), body: 'def policy(resource):\n    return True\n' },
  'policy#put': { ...sampleDetection('none'), body: 'def policy(resource):\n    return True\n' },
  'correlation rule#create': { ...sampleCorrelation('Sample.Correlation') },
  'correlation rule#put': { ...sampleCorrelation('none') },
  'global#create': { id: 'sample_helper', body: 'x = 1\n' },
  'global#put': { body: 'x = 1\n' },
  'data model#create': { id: 'Sample.Model', logTypes: ['Custom.Sample'], mappings: [{ name: 'a', path: 'b' }] },
  // The smallest archive there is: an empty one.
  'upload#create': { file: Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1'), dryRun: 'true' },
  'query#create': { name: 'Sample query', sql: 'select 1' },
  'query#update': { name: 'none', sql: 'select 1' },
  'data model#put': { id: 'none', logTypes: ['Custom.Sample'], mappings: [{ name: 'a', path: 'b' }] },
};
