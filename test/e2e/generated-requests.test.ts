import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { restOperations } from '#http';
import { buildSchema } from '../../graphql/schema.ts';
import { startTestDeployment } from '../support/deployment.ts';
import { requestsOf, spoiled, trickyJson, trickyParameter } from '../support/generated-requests.ts';
import { sampleBodies } from '../support/rest.ts';

/** Whatever a client makes up is answered in words of ours: nothing breaks, and nothing of the inside is shown. */

const deployment = await startTestDeployment({ environment: { MARGAY_REQUESTS_PER_MINUTE: '1000000' } });
const tenant = await deployment.tenant('generated');
afterAll(() => deployment.stop());

/** Requests made up for each field and route. */
const runs = Number(process.env['MARGAY_GENERATED_RUNS'] ?? 4);
const inside = /stacktrace|node_modules|\.ts:\d|\n {4}at |SELECT |INSERT INTO|ECONN|\bpg_|violates|syntax error at/;
const headers = { 'x-api-key': tenant.token, 'content-type': 'application/json' };

const schema = buildSchema();
/** A token that rotates itself is gone for what follows. */
const skipped: ReadonlySet<string> = new Set(['rotateAPIToken']);
const fields = (['query', 'mutation'] as const).flatMap((kind) =>
  Object.values((kind === 'query' ? schema.getQueryType() : schema.getMutationType())?.getFields() ?? {})
    .filter(({ name }) => !skipped.has(name))
    .map((field) => ({ kind, field })),
);

test('no root field of GraphQL breaks on arguments made up from its types', { timeout: 300_000 }, async () => {
  let answered = 0;
  for (const { kind, field } of fields)
    await fc.assert(
      fc.asyncProperty(requestsOf(kind, field), async (body) => {
        const response = await fetch(`${deployment.url}/public/graphql`, { method: 'POST', headers, body });
        const text = await response.text();
        answered += 1;
        expect([response.status < 500, text.includes('INTERNAL_SERVER_ERROR')], `${body}\n${text}`).toEqual([
          true,
          false,
        ]);
        expect(text).not.toMatch(inside);
      }),
      { numRuns: runs },
    );
  process.stdout.write(`generated requests: ${answered} of ${fields.length} GraphQL fields\n`);
});

test('no route of REST breaks on paths, parameters and bodies made up', { timeout: 300_000 }, async () => {
  let answered = 0;
  const routes = restOperations.filter(({ isForm }) => !isForm);
  for (const route of routes) {
    const sample = sampleBodies[route.id];
    const body = typeof sample === 'object' && sample !== null ? spoiled(sample) : trickyJson;
    const request = fc.record({ parameter: trickyParameter, name: trickyParameter, body });
    await fc.assert(
      fc.asyncProperty(request, async (made) => {
        const path = route.path.replaceAll(/\{\w+\}/g, () => encodeURIComponent(made.parameter) || 'x');
        const query = new URLSearchParams({
          limit: made.name,
          cursor: made.name,
          'sort-dir': made.name,
          status: made.name,
        });
        const response = await fetch(`${deployment.url}${path}?${query.toString()}`, {
          method: route.method,
          headers,
          ...(route.method === 'GET' ? {} : { body: JSON.stringify(made.body) }),
        });
        const text = await response.text();
        answered += 1;
        const isRight = response.status < 500 || (response.status === 501 && route.operation.owedTo !== undefined);
        expect(
          isRight,
          `${route.method} ${path}?${query.toString()} ${JSON.stringify(made.body)}\n${response.status} ${text}`,
        ).toBe(true);
        expect(text).not.toMatch(inside);
      }),
      { numRuns: runs },
    );
  }
  process.stdout.write(`generated requests: ${answered} of ${routes.length} REST routes\n`);
});
