/** The program: `start` runs the product, everything else is a command of the terminal. */
import { parseArgs } from 'node:util';
import { type Command, CommandError, commands as remoteCommands } from '#cli';
import { ConfigurationError } from '#platform/config';
import { StartError } from './data-folder.ts';
import { runDoctor } from './doctor/doctor.ts';
import { backupCommand, restoreCommand } from './operator/backup-command.ts';
import { exportCommand } from './operator/export-command.ts';
import { importCommand } from './operator/import-command.ts';
import { keysCommand } from './operator/keys-command.ts';
import { showFirstStart } from './first-start/first-start.ts';
import { tenantCommand } from './operator/tenant-command.ts';
import { roleNames, type RoleName } from './runtime.ts';
import { startDeployment } from './supervisor.ts';

/** Commands of the operator work on the stores themselves; the others talk to a deployment. */
const commands: readonly Command[] = [
  ...remoteCommands,
  keysCommand,
  tenantCommand,
  backupCommand,
  restoreCommand,
  exportCommand,
  importCommand,
];

type Call = readonly [call: string, summary: string];
const calls: readonly Call[] = [
  ['start [--role all|api|ingest|worker|scheduler]', 'run the product (default: all on this machine)'],
  ['doctor', 'check this machine and the configuration'],
  ...commands.flatMap((command) => command.usage),
];

/** How commands are called, one line each. */
function listed(lines: readonly Call[]): string {
  const width = Math.max(...lines.map(([call]) => call.length)) + 3;
  return lines.map(([call, summary]) => `  ${call.padEnd(width)}${summary}`).join('\n');
}

const usage = `Usage: margay <command>

${listed(calls)}

\`margay <command> --help\` shows one command. Settings are environment variables (.env.example lists them); MARGAY_URL
and MARGAY_API_TOKEN say which deployment a command talks to.
`;

/** The lines about one command; undefined of what is no command. */
function usageOf(name: string | undefined): string | undefined {
  const own =
    commands.find((command) => command.name === name)?.usage ??
    calls.slice(0, 2).filter(([call]) => call.split(' ')[0] === name);
  const lines = own.map(([call, summary]): Call => [call === '' ? '' : `margay ${call}`, summary]);
  return lines.length === 0 ? undefined : `Usage:\n${listed(lines)}\n`;
}

const asksForHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const host = { nodePath: process.execPath, uid: process.getuid?.() };
const onInterrupt = (listener: () => void): (() => void) => {
  // Not once: a terminal tells the whole group, and what started this program tells it again.
  process.on('SIGINT', listener);
  return () => void process.off('SIGINT', listener);
};
const terminal = process.stdin.isTTY ? { input: process.stdin, output: process.stderr } : undefined;
/** On standard error, so that results can be sent elsewhere. */
const progress = process.stderr.isTTY
  ? (text: string): void => void process.stderr.write(`\r${text}\u001B[K`)
  : undefined;

function rolesOf(text: string): readonly RoleName[] | 'all' {
  if (text === 'all') return 'all';
  const wanted = text.split(',');
  const unknown = wanted.find((role) => !(roleNames as readonly string[]).includes(role));
  if (unknown !== undefined)
    throw new StartError(`There is no role "${unknown}". Choose all, ${roleNames.join(', ')}.`);
  return wanted as RoleName[];
}

async function start(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { role: { type: 'string', default: 'all' } } });
  let deployment: Awaited<ReturnType<typeof startDeployment>> | undefined;
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    say('Stopping …');
    void Promise.resolve(deployment?.stop()).finally(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const startedAt = performance.now();
  const roles = rolesOf(values.role);
  deployment = await startDeployment({ environment: process.env, roles, say });
  if (isStopping) return void deployment.stop();
  const has = (role: RoleName): boolean => roles === 'all' || roles.includes(role);
  if (has('api'))
    await showFirstStart(deployment.runtime, {
      say,
      isTerminal: process.stdout.isTTY === true,
      // The sample is sent to this process; another one may take logs in.
      ...(has('ingest') ? {} : { sampleEvents: 0 }),
    });
  say(`Ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s. Ctrl-C stops everything.`);
  return undefined;
}

async function main(): Promise<void> {
  const [command, ...args] = process.argv.slice(2);
  const help = asksForHelp(args) ? usageOf(command) : undefined;
  if (help !== undefined) {
    process.stdout.write(help);
    process.exit(0);
  }
  if (command === 'start') return start(args);
  if (command === 'doctor') process.exit(await runDoctor(process.env, say));
  const known = commands.find(({ name }) => name === command);
  if (known)
    process.exit(await known.run(args, { environment: process.env, host, say, progress, terminal, onInterrupt }));
  process.stdout.write(usage);
  process.exit(command === undefined || command === 'help' || command === '--help' ? 0 : 2);
}

/** An unknown option, or a value that is missing: `parseArgs` says it well. */
const isWrongOption = (error: unknown): error is Error =>
  error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');

main().catch((error: unknown) => {
  const isForPeople =
    error instanceof StartError || error instanceof ConfigurationError || error instanceof CommandError;
  if (isWrongOption(error)) {
    // The second sentence of `parseArgs` is about arguments that begin with a dash.
    process.stderr.write(`${error.message.split('. ')[0]}.\n${usageOf(process.argv[2]) ?? ''}`);
    process.exit(2);
  }
  process.stderr.write(`${isForPeople ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
