import { execute, parse } from 'graphql';
import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createDetectionReferences } from '#detections';
import { createTokenMemory, createTokenService, createUserService } from '#identity';
import { systemIds } from '#platform/ids';
import type { Database, TenantTx } from '#platform/postgres';
import { createContext, type Services } from '../../../graphql/context.ts';
import { buildSchema } from '../../../graphql/schema.ts';
import { createAlertsRoom, newMatch, traceId } from '../../support/alerts.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

/** A list costs the same number of statements however long it is. */

const { database, close } = await createTestDatabase();
afterAll(close);

let statements = 0;
const counting = (tx: TenantTx): TenantTx => ({
  tenantId: tx.tenantId,
  db: tx.db,
  execute: (sql, values) => tx.execute(sql, values),
  query: (sql, values) => {
    statements += 1;
    return tx.query(sql, values);
  },
});
const counted: Database = {
  ...database,
  withTenant: (tenantId, work) => database.withTenant(tenantId, (tx) => work(counting(tx))),
  readTenant: (tenantId) => ({
    tenantId,
    query: (sql, values) => {
      statements += 1;
      return database.readTenant(tenantId).query(sql, values);
    },
  }),
};
const room = createAlertsRoom(counted);
const schema = buildSchema();

const list = `{ alerts(input: {createdAtAfter: "2000-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z", pageSize: 100}) {
  edges { node { id title context assignee { email role { name } } updatedBy { __typename }
    origin { ... on Detection { id description } ... on DeletedDetection { id } }
    comments { body createdBy { ... on User { email } } } deliveries { outputId } deliveryStates { state } } }
  pageInfo { endCursor } } }`;

/** Statements of the list when there are so many alerts, each given to somebody and with a comment. */
async function statementsFor(count: number): Promise<number> {
  const tenantId = await createTenant(database);
  const actor = systemActor(tenantId, 'test', traceId);
  const matches = Array.from({ length: count }, (_, index) =>
    newMatch({ dedup: `key ${index}`, detectionId: `Rule.${index}` }),
  );
  const ids = (await room.apply(tenantId, matches)).map((id) => id ?? '');
  const user = await room.addUser(tenantId, 'ada@example.com');
  await room.alerts.updateAssigneeById(actor, { ids, assigneeId: user });
  for (const alertId of ids) await room.alerts.createComment(actor, { alertId, body: 'seen' });
  const base = {
    database: counted,
    audit: createAuditRecorder({ database: counted, clock: room.clock }),
    ids: systemIds,
  };
  const services = {
    alerts: room.alerts,
    detectionReferences: createDetectionReferences({ database: counted }),
    tokens: createTokenService({ ...base, clock: room.clock, memory: createTokenMemory(room.clock) }),
    users: createUserService(base),
  } as Partial<Services> as Services;
  statements = 0;
  const { data, errors } = await execute({
    schema,
    document: parse(list),
    contextValue: createContext(actor, services),
  });
  expect(errors).toBeUndefined();
  expect((data as { alerts: { edges: unknown[] } }).alerts.edges).toHaveLength(count);
  return statements;
}

test('a list of alerts with all it can hold takes as many statements for 3 as for 40', async () => {
  const [few, many] = [await statementsFor(3), await statementsFor(40)];
  expect(many).toBe(few);
  expect(many).toBeLessThanOrEqual(12);
  process.stdout.write(`alerts with everything: ${many} statements\n`);
});
