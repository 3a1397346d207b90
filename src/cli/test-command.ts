import { watch } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  type ContentItem,
  describeExplanation,
  explainRules,
  hasTests,
  type ItemOutcome,
  runTests,
  type SandboxPool,
} from '#detections';
import { type Command, CommandError, type CommandIo } from './command.ts';
import { contentOptions, describeProblem, type LocalContent, readLocalContent } from './content-options.ts';
import { withLocalSandbox } from './local-sandbox.ts';
import { describeOutcome, describeReport, reportOf, type TestReport } from './test-report.ts';

const options = {
  ...contentOptions,
  'minimum-tests': { type: 'string', default: '0' },
  'show-failures-only': { type: 'boolean', default: false },
  'skip-disabled-tests': { type: 'boolean', default: false },
  'sort-test-results': { type: 'boolean', default: false },
  'test-names': { type: 'string', multiple: true },
  'available-destination': { type: 'string', multiple: true },
  explain: { type: 'boolean', default: false },
  watch: { type: 'boolean', default: false },
} as const;

const parse = (args: readonly string[]) => parseArgs({ args: [...args], allowPositionals: true, options });
type Values = ReturnType<typeof parse>['values'];

function minimumOf(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new CommandError('--minimum-tests is a number from 0 to 999.');
  return Number(text);
}

const barWidth = 30;

/** A bar on a terminal that is overwritten; nothing elsewhere. */
function progressBar({ progress }: CommandIo, total: number) {
  let done = 0;
  return {
    step(): void {
      done += 1;
      const filled = total === 0 ? barWidth : Math.round((done / total) * barWidth);
      progress?.(`[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${done}/${total} `);
    },
    clear: () => progress?.(''),
  };
}

const testCount = ({ spec }: ContentItem): number => ('Tests' in spec ? (spec.Tests?.length ?? 0) : 0);

async function runOnce(
  sandbox: SandboxPool,
  content: LocalContent,
  values: Values,
  io: CommandIo,
): Promise<TestReport> {
  const startedAt = performance.now();
  const wanted = content.chosen.filter((item) => item.isEnabled || !values['skip-disabled-tests']);
  const bar = progressBar(io, wanted.filter(hasTests).length);
  const outcomes: ItemOutcome[] = [];
  const show = (outcome: ItemOutcome): void => {
    if (!values.json)
      for (const line of describeOutcome(outcome, content.fileOf.get(outcome.id) ?? '', values['show-failures-only']))
        io.say(line);
  };
  const names = values['test-names'];
  const destinations = values['available-destination'];
  const found = runTests({ sandbox, tenantId: 'local' }, content.items, wanted, {
    minimumTests: minimumOf(values['minimum-tests']),
    ...(names ? { testNames: names } : {}),
    ...(destinations ? { destinations } : {}),
  });
  for await (const outcome of found) {
    outcomes.push(outcome);
    bar.clear();
    if (!values['sort-test-results']) show(outcome);
    bar.step();
  }
  bar.clear();
  if (values['sort-test-results']) outcomes.toSorted((a, b) => (a.id < b.id ? -1 : 1)).forEach(show);
  const counts = new Map(content.items.map((item) => [item.id, testCount(item)]));
  const { problems, fileOf } = content;
  const folder = { problems, fileOf, testCount: (id: string) => counts.get(id) ?? 0 };
  return reportOf(outcomes, folder, (performance.now() - startedAt) / 1000);
}

const isGood = (report: TestReport): boolean =>
  report.failed === 0 && report.invalid.length === 0 && report.problems.length === 0;

async function runAndShow(sandbox: SandboxPool, args: readonly string[], io: CommandIo): Promise<boolean> {
  const { values, positionals } = parse(args);
  const content = await readLocalContent(values, positionals);
  if (content.items.length === 0 && content.problems.length === 0)
    throw new CommandError(`There is no content in "${values.path}".`);
  const report = await runOnce(sandbox, content, values, io);
  const runner = { sandbox, tenantId: 'local' };
  const explained = values.explain ? await explainRules(runner, content.items, content.chosen) : [];
  if (values.json) io.say(JSON.stringify(values.explain ? { ...report, runsWhen: explained } : report));
  else {
    for (const rule of explained) io.say(describeExplanation(rule));
    for (const problem of report.problems) io.say(`[INVALID] ${describeProblem(problem)}`);
    for (const line of describeReport(report)) io.say(line);
  }
  return isGood(report);
}

const settleMs = 200;

/** Runs again after each change, until it is interrupted. */
async function watchFolder(sandbox: SandboxPool, args: readonly string[], io: CommandIo): Promise<never> {
  const { values } = parse(args);
  for (;;) {
    await runAndShow(sandbox, args, io).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      io.say(error.message);
    });
    io.say('Waiting for changes …');
    const changes = watch(values.path, { recursive: true });
    for await (const { filename } of changes) if (filename && /\.(?:ya?ml|py)$/.test(filename)) break;
    await new Promise((resolve) => setTimeout(resolve, settleMs));
  }
}

/** `margay test`: the unit tests of a content folder, in the sandbox, without a server. */
export const testCommand: Command = {
  name: 'test',
  usage: [
    ['test --path DIR [--filter KEY=VALUE]… [--json]', 'run the unit tests of a content folder; no server is needed'],
    ['', '--minimum-tests N, --show-failures-only, --skip-disabled-tests, --test-names NAME, --watch'],
    ['', '--explain: say of each rule and policy on which events it runs'],
  ],
  async run(args, io) {
    const { values } = parse(args);
    minimumOf(values['minimum-tests']);
    return withLocalSandbox(io, async (sandbox) => {
      if (values.watch) return watchFolder(sandbox, args, io);
      return (await runAndShow(sandbox, args, io)) ? 0 : 1;
    });
  },
};
