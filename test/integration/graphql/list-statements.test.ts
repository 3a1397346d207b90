import { execute, parse } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { type Actor, systemActor } from '#access';
import { createDestinationService } from '#alerts';
import { createAuditRecorder, createAuditService } from '#audit';
import { createDetectionService } from '#detections';
import { createRoleService, createTokenMemory, createTokenService, createUserService } from '#identity';
import { createSchemaService, createSourceService } from '#ingestion';
import { manualClock } from '#platform/clock';
import { createAddressGuard } from '#platform/http-client';
import { systemIds } from '#platform/ids';
import type { Database, TenantTx } from '#platform/postgres';
import { createSystemErrorRecorder, createSystemErrorService } from '#system-errors';
import { createContext, type Services } from '../../../graphql/context.ts';
import { buildSchema } from '../../../graphql/schema.ts';
import { traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { testSecrets } from '../../support/secrets.ts';

/** Every list costs the same number of statements however long it is. Alerts, which hold most: statements.test.ts. */

const { database, close } = await createTestDatabase();
afterAll(close);

let statements = 0;
const counted: Database = {
  ...database,
  withTenant: (tenantId, work) =>
    database.withTenant(tenantId, (tx) => {
      const counting: TenantTx = {
        tenantId: tx.tenantId,
        db: tx.db,
        execute: (sql, values) => tx.execute(sql, values),
        query: (sql, values) => {
          statements += 1;
          return tx.query(sql, values);
        },
      };
      return work(counting);
    }),
};

const clock = manualClock(new Date('2026-01-01T00:00:00Z'));
const base = {
  database: counted,
  audit: createAuditRecorder({ database: counted, clock }),
  clock,
  ids: systemIds,
  secrets: testSecrets(),
};
const systemErrors = createSystemErrorRecorder(base);
const services = {
  users: createUserService(base),
  roles: createRoleService(base),
  tokens: createTokenService({ ...base, memory: createTokenMemory(clock) }),
  audit: createAuditService(base),
  schemas: createSchemaService(base),
  systemErrors: createSystemErrorService(base),
  detections: createDetectionService({ ...base, sandbox: { check: async () => [] } }),
  sources: createSourceService({
    ...base,
    hasSchema: async () => true,
    lake: { listFailures: async () => [] },
  }),
  destinations: createDestinationService({
    ...base,
    systemErrors,
    guard: createAddressGuard(['127.0.0.0/8']),
    consoleUrl: 'https://siem.example.com/console',
  } as unknown as Parameters<typeof createDestinationService>[0]),
} as unknown as Services;

type List = {
  readonly name: string;
  readonly query: string;
  readonly make: (actor: Actor, index: number) => Promise<unknown>;
};

const lists: readonly List[] = [
  {
    name: 'users',
    query: '{ users { id email status role { name permissions updatedBy { ... on User { email } } } } }',
    async make(actor, index) {
      const role = await services.roles.create(actor, { name: `R${index}`, permissions: ['AlertRead'] });
      const names = { email: `u${index}@example.com`, givenName: 'A', familyName: 'B' };
      return services.users.invite(actor, { ...names, role: { kind: 'ID', value: role.id } });
    },
  },
  {
    name: 'roles',
    query:
      '{ roles { id name permissions logTypeAccess updatedBy { ... on User { email } ... on APIToken { name } } } }',
    make: (actor, index) => services.roles.create(actor, { name: `R${index}`, permissions: ['AlertRead'] }),
  },
  {
    name: 'apiTokens',
    query: '{ apiTokens { id name createdBy { email role { name } } rotatedBy { __typename } updatedBy { email } } }',
    make: (actor, index) => services.tokens.create(actor, { name: `t${index}`, permissions: ['AlertRead'] }),
  },
  {
    name: 'sources',
    query:
      '{ sources { edges { node { integrationId logTypes ... on HttpLogIntegration { createdBy { ... on User { email } } } } } } }',
    make: (actor, index) =>
      services.sources.create(actor, {
        integrationLabel: `s${index}`,
        logTypes: ['GitHub.Audit'],
        logStreamType: 'Auto',
        authMethod: 'None',
      }),
  },
  {
    name: 'destinations',
    query: '{ destinations { id name severities endpoint } }',
    make: (actor, index) =>
      services.destinations.createWebhook(actor, {
        name: `d${index}`,
        url: 'https://example.com/',
        severities: ['LOW'],
      }),
  },
  {
    name: 'systemErrors',
    query: '{ systemErrors { edges { node { id message } } } }',
    make: (actor, index) =>
      database.withTenant(actor.tenantId, (tx) =>
        systemErrors.record(tx, {
          type: 'ALERT_DELIVERY',
          subjectId: `s${index}`,
          subjectName: 'x',
          message: 'x',
          traceId,
        }),
      ),
  },
  {
    name: 'detections',
    query: '{ detections { id kind specification body } }',
    make: (actor, index) =>
      services.detections.save(actor, {
        specification: `AnalysisType: rule\nRuleID: R.${index}\nEnabled: true\nLogTypes: [X]\nSeverity: Low\nDetection: [{Condition: AlwaysTrue}]\n`,
        body: '',
      }),
  },
  {
    name: 'auditEvents',
    query: '{ auditEvents(input: {pageSize: 100}) { edges { node { sequence action actorName } } } }',
    make: (actor, index) => services.roles.create(actor, { name: `A${index}`, permissions: ['AlertRead'] }),
  },
  {
    name: 'schemas',
    query: '{ schemas(input: {}) { edges { node { name spec } } } }',
    make: (actor, index) =>
      services.schemas.save(actor, {
        name: `Custom.S${index}`,
        spec: `schema: Custom.S${index}\nfields:\n  - { name: a, type: string }\n`,
      }),
  },
];

const schema = buildSchema();

async function statementsFor({ query, make }: List, count: number): Promise<number> {
  const actor = systemActor(await createTenant(database), 'test', traceId);
  for (let index = 0; index < count; index += 1) await make(actor, index);
  statements = 0;
  const contextValue = createContext(actor, services);
  const { data, errors } = await execute({ schema, document: parse(query), contextValue });
  expect(errors).toBeUndefined();
  const [found] = Object.values(data ?? {}) as [{ edges?: unknown[] } | unknown[]];
  expect((Array.isArray(found) ? found : (found.edges ?? [])).length).toBeGreaterThanOrEqual(count);
  return statements;
}

test.each(lists)('$name: as many statements for 2 as for 12', async (list) => {
  const [few, many] = [await statementsFor(list, 2), await statementsFor(list, 12)];
  expect(many).toBe(few);
  expect(many).toBeLessThanOrEqual(6);
  process.stdout.write(`${list.name}: ${many} statements\n`);
});
