import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { buildBundle, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { chooseWalls } from '#platform/walls';
import { unitTests } from '../../src/detections/content/content-item.ts';
import { isRuleItem } from '../../src/detections/content/derived.ts';
import type { EvaluationResult, IndexUse, SandboxContent } from '../../src/detections/sandbox/sandbox-contract.ts';
import { createProcessSource } from '../../src/detections/sandbox/process-source.ts';
import { TenantSandbox } from '../../src/detections/sandbox/tenant-sandbox.ts';
import { type Benchmark, percentile, wholeOption } from './support/benchmark.ts';
import { cpuBetween, cpuSeconds } from './support/cpu.ts';
import { type Block, cloudTrailBlocks, mixedBlocks } from './support/detection-events.ts';

const engine = path.resolve(import.meta.dirname, '../../src/detections/sandbox/guest');
const limits = {
  chunkRecords: 1000,
  chunkBytes: 4 * 1024 * 1024,
  chunkTimeoutMs: 600_000,
  ruleTimeoutMs: 60_000,
  loadTimeoutMs: 600_000,
  culpritsMax: 5,
};

/** What two ways to evaluate must agree on. Texts of exceptions differ between versions of Python. */
type Outcome = { readonly matches: readonly unknown[]; readonly errors: readonly unknown[] };
type Measured = {
  readonly eventsPerSecond: number;
  readonly outcomes: readonly Outcome[];
  readonly results: readonly EvaluationResult[];
};

type Call = {
  readonly content: SandboxContent;
  readonly folder: string;
  readonly bundle: string;
  readonly library: string;
};

const rate = (events: number, seconds: number): number => Math.round(events / Math.max(seconds, 1e-9));
const count = (blocks: readonly Block[]): number => blocks.reduce((sum, block) => sum + block.count, 0);

type NativeAnswer = {
  readonly seconds: number;
  readonly answer: {
    readonly matches: readonly Readonly<Record<string, unknown>>[];
    readonly errors: readonly { readonly record: number; readonly rule: number; readonly exception: string }[];
  };
};

function nativeOutcome({ answer }: NativeAnswer, content: SandboxContent): Outcome {
  const idOf = (rule: unknown) => content.rules[Number(rule)]?.id;
  return {
    matches: answer.matches.map(({ record, rule, title, dedup, severity, alertContext }) => [
      record, idOf(rule), title, dedup, severity, alertContext,
    ]), // prettier-ignore
    errors: answer.errors.map(({ record, rule, exception }) => [record, idOf(rule), exception]),
  };
}

/** Plain CPython, every rule on every event. The first `warm` blocks are not timed. */
async function runNative(
  { content, folder, library }: Call,
  blocks: readonly Block[],
  warm: number,
): Promise<Measured> {
  const contentFile = path.join(folder, 'content.json');
  await writeFile(contentFile, JSON.stringify(content));
  const args = [
    path.join(import.meta.dirname, 'support/native_brute.py'),
    engine,
    library === '' ? '-' : library,
    contentFile,
  ];
  for (const [index, { logType, records }] of blocks.entries()) {
    const file = path.join(folder, `block-${index}.ndjson`);
    await writeFile(file, records);
    args.push(logType, file);
  }
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const answers = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as NativeAnswer);
  const seconds = answers.slice(warm).reduce((sum, answer) => sum + answer.seconds, 0);
  const outcomes = answers.map((answer) => nativeOutcome(answer, content));
  return { eventsPerSecond: rate(count(blocks.slice(warm)), seconds), outcomes, results: [] };
}

const outcomeOf = ({ matches, errors }: EvaluationResult): Outcome => ({
  matches: matches.map(({ recordIndex, ruleId, title, dedup, severity, alertContext }) => [
    recordIndex, ruleId, title, dedup, severity, alertContext,
  ]), // prettier-ignore
  errors: errors
    .filter((error) => error.kind !== 'load')
    .map(({ recordIndex, ruleId, exception }) => [recordIndex, ruleId, exception]),
});

/** The sandbox behind its walls; all processes count. The first `warm` blocks are not timed. */
async function runSandbox(
  { content, bundle }: Call,
  blocks: readonly Block[],
  warm: number,
  index: IndexUse,
): Promise<Measured> {
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
  const source = createProcessSource(walls, bundle);
  const sandbox = new TenantSandbox({ newProcess: (image) => source.take(image), limits, index, snapshots: undefined });
  const results: EvaluationResult[] = [];
  const reading = () => ({ ...cpuSeconds(), self: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6 });
  let before = reading();
  for (const [position, { logType, records }] of blocks.entries()) {
    if (position === warm) before = reading();
    results.push(await sandbox.evaluate(content, { logType, records }, () => Promise.resolve()));
  }
  const { total } = cpuBetween(before, reading());
  source.close();
  sandbox.close();
  return { eventsPerSecond: rate(count(blocks.slice(warm)), total), outcomes: results.map(outcomeOf), results };
}

function rulesPerEvent(results: readonly EvaluationResult[], content: SandboxContent, blocks: readonly Block[]) {
  const values: number[] = [];
  const shares: number[] = [];
  for (const [index, { rulesPerEvent: histogram }] of results.entries()) {
    const rules = content.rules.filter((rule) => rule.logTypes.includes(blocks[index]?.logType ?? '')).length;
    for (const [run, events] of histogram.entries())
      for (let left = events; left > 0; left--) {
        values.push(run);
        shares.push(rules === 0 ? 0 : run / rules);
      }
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { mean: Math.round(mean * 100) / 100, p95: percentile(values, 0.95), p95Share: percentile(shares, 0.95) };
}

async function compare(call: Call, blocks: readonly Block[], bruteBlocks: number, say: (line: string) => void) {
  const few = blocks.slice(0, bruteBlocks);
  const warm = Math.max(1, Math.floor(few.length / 3));
  const native = await runNative(call, few, warm);
  say(`native brute force: ${native.eventsPerSecond} events per second`);
  const brute = await runSandbox(call, few, warm, { mode: 'off', verifyShare: 0 });
  say(`sandbox brute force: ${brute.eventsPerSecond}`);
  const indexed = await runSandbox(call, blocks, warm, { mode: 'strict', verifyShare: 0 });
  say(`sandbox with the index: ${indexed.eventsPerSecond}`);
  const matchesOnly = await runSandbox(call, blocks, warm, { mode: 'matches', verifyShare: 0 });
  say(`sandbox with the index, matches only: ${matchesOnly.eventsPerSecond}`);
  const first = indexed.outcomes.slice(0, few.length);
  return {
    events: count(blocks),
    native: { eventsPerSecond: native.eventsPerSecond },
    sandboxBrute: { eventsPerSecond: brute.eventsPerSecond },
    sandboxIndexed: { eventsPerSecond: indexed.eventsPerSecond },
    sandboxMatchesOnly: { eventsPerSecond: matchesOnly.eventsPerSecond },
    ratioToNative: Math.round((indexed.eventsPerSecond / native.eventsPerSecond) * 100) / 100,
    rulesPerEvent: rulesPerEvent(indexed.results.slice(warm), call.content, blocks.slice(warm)),
    matchesPerEvent:
      Math.round((indexed.outcomes.reduce((sum, item) => sum + item.matches.length, 0) / count(blocks)) * 100) / 100,
    identical: isDeepStrictEqual(first, brute.outcomes),
    identicalToNative: isDeepStrictEqual(first, native.outcomes),
  };
}

async function readCorpus(folder: string) {
  const { items, problems } = await loadContentDirectory(path.resolve(folder));
  const eventsByLogType = new Map<string, string[]>();
  for (const { spec } of items.filter(isRuleItem)) {
    const events = unitTests(spec).map((item) => item.event);
    for (const logType of spec.LogTypes ?? [])
      eventsByLogType.set(logType, [...(eventsByLogType.get(logType) ?? []), ...events]);
  }
  return { content: sandboxContent(evaluationContent(items)), problems: problems.length, eventsByLogType };
}

export const benchmark: Benchmark = {
  summary: 'events per second and core through all rules of a content folder: native, sandbox, sandbox with the index',
  options: {
    corpus: { type: 'string', default: path.resolve(import.meta.dirname, '../../content') },
    library: { type: 'string', default: '' },
    events: { type: 'string', default: '20000' },
    'brute-events': { type: 'string', default: '6000' },
    mixed: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
  },
  async run({ options, say }) {
    const { content, problems, eventsByLogType } = await readCorpus(options['corpus'] ?? '');
    const folder = await mkdtemp(path.join(tmpdir(), 'margay-bench-'));
    await chmod(folder, 0o755);
    try {
      const bundle = await buildBundle(path.join(folder, 'bundle'));
      const library = options['library'] ?? '';
      if (library !== '') await cp(library, path.join(bundle, 'guest'), { recursive: true });
      const call = { content, folder, bundle, library };
      const seed = wholeOption(options, 'seed');
      say(`${content.rules.length} rules; ${problems} files of the corpus were not read`);
      const bruteBlocks = Math.max(2, Math.ceil(wholeOption(options, 'brute-events') / 1000));
      const cloudTrail = await compare(call, cloudTrailBlocks(seed, wholeOption(options, 'events')), bruteBlocks, say);
      const mixedEvents = wholeOption(options, 'mixed');
      const blocks = mixedEvents === 0 ? [] : mixedBlocks(eventsByLogType, seed, mixedEvents);
      const mixed = blocks.length === 0 ? undefined : await compare(call, blocks, blocks.length, say);
      const isIdentical = cloudTrail.identical && mixed?.identical !== false;
      return {
        figures: { rules: content.rules.length, ...cloudTrail, ...(mixed === undefined ? {} : { mixed }) },
        problems: isIdentical ? [] : ['The index changed matches or errors.'],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
