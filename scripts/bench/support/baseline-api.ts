/**
 * What the API is measured against: the same Fastify, Apollo and jit over the same rows, read by two prepared
 * statements, without credentials, limits or permissions. Started as a process of its own; prints its port.
 */
import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyInstance } from 'fastify';
import { buildASTSchema, parse } from 'graphql';
import pg from 'pg';
import { asGateway, createExecutor } from '../../../graphql/executor.ts';

const schema = buildASTSchema(
  parse(`
    scalar DateTime
    type User { id: ID!, email: String! }
    type Alert { id: ID!, title: String!, severity: String!, status: String!, createdAt: DateTime!, eventCount: Int!, assignee: User }
    type Edge { node: Alert! }
    type PageInfo { endCursor: String, hasNextPage: Boolean! }
    type Alerts { edges: [Edge!]!, pageInfo: PageInfo! }
    input AlertsInput { createdAtAfter: DateTime, createdAtBefore: DateTime, pageSize: Int }
    type Query { alerts(input: AlertsInput!): Alerts!, alert(id: ID!): Alert }
  `),
);

const { BASELINE_DATABASE_URL: connectionString, BASELINE_TENANT: tenantId } = process.env;
const pool = new pg.Pool({ connectionString, max: 12, options: `-c app.tenant=${tenantId}` });

const columns = 'id, title, severity, status, created_at, event_count';
type Row = {
  readonly id: string;
  readonly title: string;
  readonly severity: string;
  readonly status: string;
  readonly created_at: Date;
  readonly event_count: string;
};

const toAlert = ({ created_at: createdAt, event_count: count, ...row }: Row) => ({
  ...row,
  createdAt: createdAt.toISOString(),
  eventCount: Number(count),
  assignee: null,
});

async function listAlerts(input: { createdAtAfter: string; createdAtBefore: string; pageSize: number }) {
  const { rows } = await pool.query<Row>({
    name: 'list',
    text: `SELECT ${columns} FROM alerts WHERE tenant_id = $1 AND created_at BETWEEN $2 AND $3 ORDER BY created_at DESC, id DESC LIMIT $4`,
    values: [tenantId, input.createdAtAfter, input.createdAtBefore, input.pageSize],
  });
  return {
    edges: rows.map((row) => ({ node: toAlert(row) })),
    pageInfo: { endCursor: rows.at(-1)?.id, hasNextPage: true },
  };
}

async function getAlert(id: string) {
  const { rows } = await pool.query<Row>({
    name: 'get',
    text: `SELECT ${columns} FROM alerts WHERE tenant_id = $1 AND id = $2`,
    values: [tenantId, id],
  });
  return rows[0] && toAlert(rows[0]);
}

type Resolve = (root: unknown, args: never) => unknown;
const fields = schema.getQueryType()?.getFields() ?? {};
const resolvers: Readonly<Record<string, Resolve>> = {
  alerts: (_root, { input }: { readonly input: Parameters<typeof listAlerts>[0] }) => listAlerts(input),
  alert: (_root, { id }: { readonly id: string }) => getAlert(id),
};
for (const [name, resolve] of Object.entries(resolvers)) Object.assign(fields[name] ?? {}, { resolve });

const { executor } = createExecutor(schema);
const apollo = new ApolloServer({ gateway: asGateway(schema, executor), stopOnTerminationSignals: true });
await apollo.start();
const server = Fastify() as unknown as FastifyInstance;
server.route({ method: 'POST', url: '/public/graphql', handler: fastifyApolloHandler(apollo) });
process.stdout.write(`${await server.listen({ host: '127.0.0.1', port: 0 })}\n`);
