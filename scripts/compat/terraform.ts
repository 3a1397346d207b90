import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Live, withDeployment } from './deployment.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const provider = (live: Live): string => `
terraform {
  required_providers { panther = { source = "panther-labs/panther" } }
}
provider "panther" {
  url   = "${live.url}/"
  token = "${live.token}"
}
`;

const httpSource = (label: string, more: string, minutes: number): string => `
resource "panther_httpsource" "one" {
  integration_label = "${label}"
  log_stream_type   = "JSON"
  log_types         = ["GitHub.Audit", "Okta.SystemLog"]
  ${more}
}
resource "panther_log_source_alarm" "one" {
  source_id         = panther_httpsource.one.id
  type              = "SOURCE_NO_DATA"
  minutes_threshold = ${minutes}
}
`;

const secret =
  'auth_method = "SharedSecret"\n  auth_header_key = "x-secret"\n  auth_secret_value = "a secret of some length"';
const bearer = 'auth_method = "Bearer"\n  auth_bearer_token = "a bearer token of some length"';

/** Resources whose part of the product is not built: applying one must fail with its reason. */
const owed: Readonly<Record<string, string>> = {
  panther_s3_source: `
resource "panther_s3_source" "one" {
  aws_account_id                               = "123456789012"
  name                                         = "s3"
  log_processing_role_arn                      = "arn:aws:iam::123456789012:role/Logs"
  log_stream_type                              = "Auto"
  panther_managed_bucket_notifications_enabled = true
  bucket_name                                  = "bucket"
  prefix_log_types                             = [{ excluded_prefixes = [], log_types = ["AWS.CloudTrail"], prefix = "" }]
}`,
  panther_pubsubsource: `
resource "panther_pubsubsource" "one" {
  integration_label = "pubsub"
  subscription_id   = "subscription"
  project_id        = "project"
  credentials       = "{}"
  credentials_type  = "service_account"
  log_types         = ["AWS.CloudTrail"]
  log_stream_type   = "Auto"
}`,
  panther_gcssource: `
resource "panther_gcssource" "one" {
  integration_label = "gcs"
  subscription_id   = "subscription"
  gcs_bucket        = "bucket"
  project_id        = "project"
  credentials       = "{}"
  credentials_type  = "service_account"
  log_stream_type   = "Auto"
  prefix_log_types  = [{ prefix = "", log_types = ["AWS.CloudTrail"], excluded_prefixes = [] }]
}`,
  panther_aws_cloud_account: `
resource "panther_aws_cloud_account" "one" {
  integration_label          = "cloud"
  aws_account_id             = "123456789012"
  aws_scan_config            = { audit_role = "arn:aws:iam::123456789012:role/Audit" }
  region_ignore_list         = []
  resource_type_ignore_list  = []
  resource_regex_ignore_list = []
}`,
};

type Outcome = { readonly what: string; readonly state: 'ok' | 'owed' | 'DIFFERS'; readonly text: string };
type Driver = (args: readonly string[]) => { readonly status: number; readonly text: string };

/** Runs the driver in a folder with the provider found where it was built. */
function driverIn(folder: string, driver: string): Driver {
  return (args) => {
    const { status, stdout, stderr } = spawnSync(driver, [...args, '-no-color'], {
      cwd: folder,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        TF_CLI_CONFIG_FILE: path.join(folder, 'driver.rc'),
        CHECKPOINT_DISABLE: '1',
      },
    });
    return { status: status ?? 1, text: `${stdout}${stderr}` };
  };
}

const address = 'panther_httpsource.one';
const alarmAddress = 'panther_log_source_alarm.one';

/** Makes, plans again, changes, imports and destroys an HTTP source; a plan without changes ends with 0, one with with 2. */
async function httpSourceLife(folder: string, run: Driver, live: Live): Promise<readonly Outcome[]> {
  const file = path.join(folder, 'main.tf');
  const outcomes: Outcome[] = [];
  const step = (what: string, args: readonly string[], wanted = 0): void => {
    const { status, text } = run(args);
    outcomes.push({
      what: `panther_httpsource, panther_log_source_alarm: ${what}`,
      state: status === wanted ? 'ok' : 'DIFFERS',
      text,
    });
  };
  const write = (label: string, more: string, minutes: number) =>
    writeFile(file, provider(live) + httpSource(label, more, minutes));
  await write('terraform', secret, 60);
  step('create', ['apply', '-auto-approve']);
  step('plan again, no changes', ['plan', '-detailed-exitcode']);
  await write('terraform renamed', bearer, 90);
  step('plan a change', ['plan', '-detailed-exitcode'], 2);
  step('update', ['apply', '-auto-approve']);
  step('plan again, no changes', ['plan', '-detailed-exitcode']);
  const { text: shown } = run(['state', 'show', address]);
  const id = /^\s*id\s+= "([^"]+)"/m.exec(shown)?.[1] ?? 'none';
  step('read', ['refresh']);
  for (const [one, known] of [
    [address, id],
    [alarmAddress, `${id}/SOURCE_NO_DATA`],
  ] as const) {
    step(`forget ${one}`, ['state', 'rm', one]);
    step(`import ${one}`, ['import', one, known]);
  }
  step('destroy', ['destroy', '-auto-approve']);
  const left = await fetch(`${live.url}/log-sources/http/${id}`, { headers: { 'x-api-key': live.token } });
  outcomes.push({
    what: 'panther_httpsource, panther_log_source_alarm: gone',
    state: left.status === 404 ? 'ok' : 'DIFFERS',
    text: '',
  });
  return outcomes;
}

async function owedResources(folder: string, run: Driver, live: Live): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const [resource, text] of Object.entries(owed)) {
    await writeFile(path.join(folder, 'main.tf'), provider(live) + text);
    const applied = run(['apply', '-auto-approve']);
    const isTold = applied.status !== 0 && applied.text.replaceAll(/[\s│]+/g, ' ').includes('not available yet');
    outcomes.push({ what: `${resource} create`, state: isTold ? 'owed' : 'DIFFERS', text: applied.text });
  }
  return outcomes;
}

async function compare(binary: string, driver: string): Promise<boolean> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-terraform-'));
  const override = `dev_overrides { "panther-labs/panther" = "${path.dirname(binary)}" }`;
  await writeFile(path.join(folder, 'driver.rc'), `provider_installation {\n  ${override}\n  direct {}\n}\n`);
  const run = driverIn(folder, driver);
  let outcomes: readonly Outcome[] = [];
  await withDeployment(async (live) => {
    outcomes = [...(await httpSourceLife(folder, run, live)), ...(await owedResources(folder, run, live))];
  });
  await rm(folder, { recursive: true, force: true });
  for (const { what, state, text } of outcomes)
    say(`${what.padEnd(72)} ${state}${state === 'DIFFERS' ? `\n${text.slice(0, 2000)}` : ''}`);
  const counts = (['ok', 'owed', 'DIFFERS'] as const).map(
    (state) => outcomes.filter((it) => it.state === state).length,
  );
  say(`\n${outcomes.length} operations: ${counts[0]} ok, ${counts[1]} owed, ${counts[2]} DIFFER`);
  return counts[2] === 0;
}

const has = (command: string): boolean => spawnSync(command, ['version'], { stdio: 'ignore' }).status === 0;

/**
 * `npm run compat -- terraform --source DIR`: the incumbent's Terraform provider, built from a checkout of its source,
 * against a throw-away instance, with OpenTofu or terraform as its driver. Prints operation and result.
 */
export async function runTerraform(args: readonly string[]): Promise<number> {
  const options = { source: { type: 'string', default: '' }, tools: { type: 'string' } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const driver = ['tofu', 'terraform'].find(has);
  if (values.source === '' || !existsSync(path.join(values.source, 'go.mod')) || driver === undefined || !has('go')) {
    say('skipped: it needs --source with a checkout of terraform-provider-panther, Go, and tofu or terraform');
    return 0;
  }
  const tools = path.resolve(values.tools ?? path.join(tmpdir(), 'margay-terraform-tools'));
  const binary = path.join(tools, 'terraform-provider-panther');
  const built = spawnSync('go', ['build', '-o', binary, '.'], { cwd: path.resolve(values.source), stdio: 'inherit' });
  if (built.status !== 0) {
    say('skipped: the provider could not be built');
    return 0;
  }
  return (await compare(binary, driver)) ? 0 : 1;
}
