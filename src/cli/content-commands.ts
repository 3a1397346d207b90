import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { findLoadProblems, hasTests, runTests, type SandboxPool, typeName } from '#detections';
import { archiveOf, refuseProblems } from './content-archive.ts';
import { type Command, CommandError } from './command.ts';
import { contentOptions, describeProblem, readLocalContent } from './content-options.ts';
import { withLocalSandbox } from './local-sandbox.ts';
import { describeError } from './test-report.ts';

/** Commands on a content folder that need no deployment. */

const parse = (args: readonly string[]) =>
  parseArgs({ args: [...args], allowPositionals: true, options: { ...contentOptions, out: { type: 'string' } } });

export const validateCommand: Command = {
  name: 'validate',
  usage: [['validate --path DIR [--json]', 'check files, keys, ids and references of a folder, and load its Python']],
  async run(args, io) {
    const { values, positionals } = parse(args);
    const { items, fileOf, problems: found } = await readLocalContent(values, positionals);
    const load = (sandbox: SandboxPool) => findLoadProblems({ sandbox, tenantId: 'local' }, items, fileOf);
    const unloadable = items.some(({ body }) => body !== '') ? await withLocalSandbox(io, load) : [];
    const problems = [...found, ...unloadable.map(({ id: _id, ...problem }) => problem)];
    if (values.json) io.say(JSON.stringify({ items: items.length, problems }));
    else {
      for (const problem of problems) io.say(describeProblem(problem));
      io.say(`${items.length} items read, ${problems.length} problems`);
    }
    return problems.length === 0 ? 0 : 1;
  },
};

export const zipCommand: Command = {
  name: 'zip',
  usage: [['zip --path DIR [--out FILE]', 'pack a content folder for an upload']],
  async run(args, { say }) {
    const { values, positionals } = parse(args);
    const content = await readLocalContent(values, positionals);
    refuseProblems(content);
    const { bytes, count } = await archiveOf(content);
    const target = path.resolve(values.out ?? 'content.zip');
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, bytes);
    say(
      values.json ? JSON.stringify({ file: target, items: count, bytes: bytes.length }) : `${target}: ${count} items`,
    );
    return 0;
  },
};

export const listCommand: Command = {
  name: 'list',
  usage: [['list --path DIR [KEY=VALUE]… [--json]', 'list the content of a folder']],
  async run(args, { say }) {
    const { values, positionals } = parse(args);
    const { chosen, fileOf } = await readLocalContent(values, positionals);
    const rows = chosen.map((item) => ({
      type: typeName(item.spec),
      id: item.id,
      isEnabled: item.isEnabled,
      file: fileOf.get(item.id) ?? '',
    }));
    if (values.json) say(JSON.stringify(rows));
    else
      for (const { type, id, isEnabled, file } of rows)
        say(`${type.padEnd(17)} ${isEnabled ? 'on ' : 'off'} ${id}  ${file}`);
    return 0;
  },
};

export const debugCommand: Command = {
  name: 'debug',
  usage: [['debug <id> <test name> --path DIR', 'run one unit test and show what every function returned and printed']],
  async run(args, io) {
    const { values, positionals } = parse(args);
    const [id, name, ...more] = positionals;
    if (id === undefined || name === undefined || more.length > 0)
      throw new CommandError('Usage: margay debug <id> "<test name>" --path DIR');
    const { items } = await readLocalContent(values, []);
    const item = items.find((other) => other.id === id);
    if (item === undefined || !hasTests(item)) throw new CommandError(`There is no detection "${id}" with tests.`);
    return withLocalSandbox(io, async (sandbox) => {
      for await (const { message, tests } of runTests({ sandbox, tenantId: 'local' }, items, [item], {
        testNames: [name],
      })) {
        const [result] = tests;
        if (result === undefined) throw new CommandError(message ?? `"${id}" has no test "${name}".`);
        if (result.printed) io.say(result.printed.trimEnd());
        for (const [called, { output, error }] of Object.entries(result.functions))
          io.say(`${called}: ${error ? describeError(error) : (output ?? '')}`);
        if (result.error) io.say(describeError(result.error));
        io.say(result.passed ? 'passed' : 'failed');
        return result.passed ? 0 : 1;
      }
      throw new CommandError(`"${id}" did not run.`);
    });
  },
};
