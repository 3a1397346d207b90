import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { restOperations } from '#http';
import { operations } from '../../graphql/operations.ts';
import { type Live, withDeployment } from './deployment.ts';
import { McpClient } from './mcp-client.ts';
import { makeThings, type Things } from './mcp-things.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const route = (id: string) => restOperations.find((candidate) => candidate.id === id)?.operation;

/** What tools ask for whose part of the product may not be built: they must then say so, and not pretend. */
const owed: Readonly<Record<string, string | undefined>> = {
  start_ai_alert_triage: operations.get('aiSummarizeAlert')?.owedTo,
  get_ai_alert_triage_summary: operations.get('aiInferenceStreamsMetadata')?.owedTo,
  list_scheduled_queries: route('query#list')?.owedTo,
  get_scheduled_query: route('query#get')?.owedTo,
};

type Call = {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Text that a good answer holds. */
  readonly holds: string;
};

const call = (tool: string, args: Call['args'], holds: string): Call => ({ tool, args, holds });

const readingCalls = (it: Things): readonly Call[] => [
  call('get_permissions', {}, 'Read Alerts'),
  call('list_alerts', {}, it.alert),
  call('list_alerts', { severities: ['HIGH', 'CRITICAL'], statuses: ['OPEN'], subtypes: ['RULE'] }, 'total_alerts'),
  call('get_alert', { alert_id: it.alert }, it.alert),
  call('get_alert_events', { alert_id: it.alert, limit: 10 }, 'protected_branch.destroy'),
  call('list_alert_comments', { alert_id: it.alert }, 'comments'),
  call('list_detections', { detection_types: ['rules', 'simple_rules', 'scheduled_rules', 'policies'] }, it.rule),
  call('list_detections', { detection_types: ['policies'], resource_type: ['AWS.S3.Bucket'] }, it.policy),
  call('get_detection', { detection_id: it.rule }, it.rule),
  call('get_detection', { detection_id: it.simple, detection_type: ['simple_rules'] }, it.simple),
  call('get_detection', { detection_id: it.scheduled, detection_type: ['scheduled_rules'] }, it.scheduled),
  call('get_detection', { detection_id: it.policy, detection_type: ['policies'] }, it.policy),
  call('list_global_helpers', { name_contains: 'compat' }, it.helper),
  call('get_global_helper', { helper_id: it.helper }, it.helper),
  call('list_data_models', {}, it.model),
  call('get_data_model', { data_model_id: it.model }, it.model),
  call('list_users', {}, it.user),
  call('get_user', { user_id: it.user }, it.user),
  call('list_roles', {}, 'Analyst'),
  call('get_role', { role_id: it.role }, it.role),
  call('list_log_sources', {}, it.source),
  call('get_http_log_source', { source_id: it.source }, it.source),
  call('list_log_type_schemas', { contains: 'GitHub' }, 'GitHub.Audit'),
  call('get_log_type_schema_details', { schema_names: ['GitHub.Audit'] }, 'spec'),
  call('list_scheduled_queries', {}, it.query),
  call('get_scheduled_query', { query_id: it.query }, it.query),
];

const dayMs = 86_400_000;

/** Without dates, tools ask for the day before this one. */
const lastDay = () => ({
  start_date: new Date(Date.now() - dayMs).toISOString(),
  end_date: new Date(Date.now() + dayMs).toISOString(),
});

const lakeCalls = (it: Things): readonly Call[] => [
  call('list_databases', {}, 'panther_logs'),
  call('list_database_tables', { database: 'panther_logs.public' }, 'github_audit'),
  call('get_table_schema', { database_name: 'panther_logs.public', table_name: 'github_audit' }, 'p_event_time'),
  call(
    'query_data_lake',
    {
      sql: "select action, p_row_id from panther_logs.public.github_audit where p_occurs_since('1 d') limit 5",
    },
    'protected_branch.destroy',
  ),
  call('get_alert_event_stats', { alert_ids: [it.alert], time_window: 30, ...lastDay() }, it.alert),
  call('get_severity_alert_metrics', {}, 'alerts_per_severity'),
  call('get_rule_alert_metrics', {}, 'alerts_per_rule'),
  call('get_bytes_processed_metrics', {}, 'bytes_processed'),
];

const changingCalls = (it: Things): readonly Call[] => [
  call('add_alert_comment', { alert_id: it.alert, comment: 'seen by the tool' }, 'seen by the tool'),
  call('update_alert_status', { alert_ids: [it.alert], status: 'TRIAGED' }, it.alert),
  call('update_alert_assignee', { alert_ids: [it.alert], assignee_id: it.user }, it.alert),
  call('bulk_update_alerts', { alert_ids: [it.alert], status: 'RESOLVED', comment: 'done' }, it.alert),
  call('disable_detection', { detection_id: it.rule, detection_type: 'rules' }, it.rule),
  call('disable_detection', { detection_id: it.simple, detection_type: 'simple_rules' }, it.simple),
  call('disable_detection', { detection_id: it.scheduled, detection_type: 'scheduled_rules' }, it.scheduled),
  call('disable_detection', { detection_id: it.policy, detection_type: 'policies' }, it.policy),
  call('start_ai_alert_triage', { alert_id: it.alert, timeout_seconds: 120 }, ''),
  call('get_ai_alert_triage_summary', { alert_id: it.alert }, ''),
];

type Outcome = { readonly call: Call; readonly state: 'ok' | 'owed' | 'DIFFERS'; readonly text: string };

/** Tools answer JSON with `success`; what is owed must fail, anything else succeed and hold what it is about. */
async function ask(client: McpClient, { tool, args, holds }: Call): Promise<Outcome> {
  const answer = (await client.call('tools/call', { name: tool, arguments: args })) as {
    readonly isError?: boolean;
    readonly content: readonly { readonly text?: string }[];
  };
  const text = answer.content.map((part) => part.text ?? '').join('\n');
  const isGood = answer.isError !== true && /"success":\s*true/.test(text);
  const state =
    owed[tool] === undefined ? (isGood && text.includes(holds) ? 'ok' : 'DIFFERS') : isGood ? 'DIFFERS' : 'owed';
  return { call: { tool, args, holds }, state, text };
}

function report(outcomes: readonly Outcome[], tools: readonly string[]): boolean {
  for (const { call: it, state, text } of outcomes) {
    const note = state === 'owed' ? (owed[it.tool] ?? '') : state === 'ok' ? '' : text.slice(0, 400);
    say(`${it.tool.padEnd(30)} ${state.padEnd(8)} ${note}`.trimEnd());
  }
  const called = new Set(outcomes.map(({ call: it }) => it.tool));
  const left = tools.filter((tool) => !called.has(tool));
  for (const tool of left) say(`${tool.padEnd(30)} NOT CALLED`);
  const counts = (['ok', 'owed', 'DIFFERS'] as const).map(
    (state) => `${outcomes.filter((outcome) => outcome.state === state).length} ${state}`,
  );
  say(`\n${tools.length} tools, ${outcomes.length} calls: ${counts.join(', ')}`);
  return left.length === 0 && outcomes.every(({ state }) => state !== 'DIFFERS');
}

async function compare(tools: string, live: Live): Promise<boolean> {
  const things = await makeThings(live);
  const client = new McpClient(path.join(tools, 'bin/mcp-panther'), {
    PANTHER_INSTANCE_URL: live.url,
    PANTHER_API_TOKEN: live.token,
  });
  try {
    await client.open();
    const { tools: known } = (await client.call('tools/list', {})) as { readonly tools: readonly { name: string }[] };
    const outcomes: Outcome[] = [];
    for (const one of [...readingCalls(things), ...lakeCalls(things), ...changingCalls(things)])
      outcomes.push(await ask(client, one));
    return report(
      outcomes,
      known.map(({ name }) => name),
    );
  } finally {
    client.close();
  }
}

/**
 * `npm run compat -- mcp [--python PYTHON] [--tools DIR]`: every tool of the incumbent's MCP server, unmodified, against
 * a throw-away instance. Prints tool and result; exits with 1 when one differs or was not called.
 */
export async function runMcp(args: readonly string[]): Promise<number> {
  const options = { python: { type: 'string', default: '' }, tools: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const tools = path.resolve(values.tools ?? path.join(tmpdir(), 'margay-mcp-tools'));
  const install = [path.join(import.meta.dirname, 'install-mcp.sh'), tools, values.python];
  if (spawnSync('sh', install, { stdio: 'inherit' }).status !== 0) {
    say('skipped: mcp-panther could not be installed (it needs Python 3.11 or newer and a package index)');
    return 0;
  }
  const { stdout } = spawnSync(path.join(tools, 'bin/python'), ['--version'], { encoding: 'utf8' });
  say(`mcp-panther on ${stdout.trim()}`);
  let isGood = false;
  await withDeployment(async (live) => {
    isGood = await compare(tools, live);
  });
  return isGood ? 0 : 1;
}
