import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { isDeepStrictEqual } from 'node:util';
import { buildBundle, evaluationContent, loadContentDirectory, sandboxContent } from '#detections';
import { chooseWalls } from '#platform/walls';
import { unitTests } from '../../src/detections/content/content-item.ts';
import { isRuleItem } from '../../src/detections/content/derived.ts';
import type { EvaluationResult, IndexUse, SandboxContent } from '../../src/detections/sandbox/sandbox-contract.ts';
import { createProcessSource } from '../../src/detections/sandbox/process-source.ts';
import { TenantSandbox } from '../../src/detections/sandbox/tenant-sandbox.ts';
import { type Benchmark, wholeOption } from './support/benchmark.ts';
import { cpuBetween, cpuSeconds } from './support/cpu.ts';
import { type Block, blockEvents, cloudTrailBlocks, mixedBlocks } from './support/detection-events.ts';
import { measureGrowth } from './support/detection-growth.ts';

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
  readonly events: number;
  readonly seconds: number;
  /** Of the first blocks, one each. */
  readonly outcomes: readonly Outcome[];
  readonly counts: readonly Count[];
};

/** What is kept of the answer to a block: how many events 0, 1, 2 … rules were run on, and how many matches there were. */
type Count = Pick<Block, 'logType' | 'count'> & Pick<EvaluationResult, 'rulesPerEvent'> & { readonly matches: number };

type Call = {
  readonly content: SandboxContent;
  readonly folder: string;
  readonly bundle: string;
  readonly library: string;
};

/** Blocks whose answers are compared. */
const keptBlocksMax = 200;

const rate = (events: number, seconds: number): number => Math.round(events / Math.max(seconds, 1e-9));

/** Rounds of a mixed stream before the timed part, in which compilers warm up. */
const warmRounds = 4;

/** A block that lies in a file: who evaluates it has neither the work nor the garbage of making it. */
type StoredBlock = Pick<Block, 'logType' | 'count'> & { readonly file: string };

type Stream = {
  readonly blocks: readonly StoredBlock[];
  /** Blocks before the timed part: long enough for the interpreter to have its plans and the compiler its code. */
  readonly warm: number;
};

async function stored(folder: string, blocks: Iterable<Block>): Promise<readonly StoredBlock[]> {
  const found: StoredBlock[] = [];
  await mkdir(folder);
  for (const { logType, count, records } of blocks) {
    const file = path.join(folder, `block-${found.length}.ndjson`);
    await writeFile(file, records);
    found.push({ logType, count, file });
  }
  return found;
}

type NativeAnswer = {
  readonly seconds: number;
  readonly answer: {
    readonly matches: readonly Readonly<Record<string, unknown>>[];
    readonly errors: readonly { readonly record: number; readonly rule: number; readonly exception: string }[];
  };
};

/** A context whose lists are in order: rules make them of sets, whose order changes from process to process. */
function contextOf(text: unknown): unknown {
  const inOrder = (_key: string, value: unknown): unknown =>
    Array.isArray(value)
      ? value
          .map((item) => JSON.stringify(item))
          .toSorted()
          .map((item) => JSON.parse(item) as unknown)
      : value;
  return typeof text === 'string' ? JSON.parse(text, inOrder) : text;
}

function nativeOutcome({ answer }: NativeAnswer, content: SandboxContent): Outcome {
  const idOf = (rule: unknown) => content.rules[Number(rule)]?.id;
  return {
    matches: answer.matches.map(({ record, rule, title, dedup, severity, alertContext }) => [
      record, idOf(rule), title, dedup, severity, contextOf(alertContext),
    ]), // prettier-ignore
    errors: answer.errors.map(({ record, rule, exception }) => [record, idOf(rule), exception]),
  };
}

/** Plain CPython, every rule on every event. */
async function runNative({ content, folder, bundle, library }: Call, { blocks, warm }: Stream): Promise<Measured> {
  const contentFile = path.join(folder, 'content.json');
  await writeFile(contentFile, JSON.stringify(content));
  const args = [
    path.join(import.meta.dirname, 'support/native_brute.py'),
    path.join(bundle, 'guest'),
    library === '' ? '-' : library,
    contentFile,
  ];
  for (const { logType, file } of blocks) args.push(logType, file);
  const events = blocks.slice(warm).reduce((sum, { count }) => sum + count, 0);
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const outcomes: Outcome[] = [];
  let seconds = 0;
  let index = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as NativeAnswer;
    if (index >= warm) seconds += answer.seconds;
    if (outcomes.length < keptBlocksMax) outcomes.push(nativeOutcome(answer, content));
    index += 1;
  }
  return { eventsPerSecond: rate(events, seconds), events, seconds, outcomes, counts: [] };
}

const outcomeOf = ({ matches, errors }: EvaluationResult): Outcome => ({
  matches: matches.map(({ recordIndex, ruleId, title, dedup, severity, alertContext }) => [
    recordIndex, ruleId, title, dedup, severity, contextOf(alertContext),
  ]), // prettier-ignore
  errors: errors
    .filter((error) => error.kind !== 'load')
    .map(({ recordIndex, ruleId, exception }) => [recordIndex, ruleId, exception]),
});

/** The sandbox behind its walls; all processes count, while they evaluate. */
async function runSandbox({ content, bundle }: Call, { blocks, warm }: Stream, index: IndexUse): Promise<Measured> {
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
  const source = createProcessSource(walls, bundle);
  const sandbox = new TenantSandbox({ newProcess: (image) => source.take(image), limits, index, snapshots: undefined });
  const outcomes: Outcome[] = [];
  const counts: Count[] = [];
  let own = 0;
  let events = 0;
  let before = cpuSeconds();
  let position = 0;
  for (const { logType, count, file } of blocks) {
    if (position === warm) {
      before = cpuSeconds();
      own = 0;
      events = 0;
    }
    const records = await readFile(file);
    const start = process.cpuUsage();
    const result = await sandbox.evaluate(content, { logType, records }, () => Promise.resolve());
    const { user, system } = process.cpuUsage(start);
    own += (user + system) / 1e6;
    events += count;
    if (position < keptBlocksMax) outcomes.push(outcomeOf(result));
    if (position >= warm)
      counts.push({ logType, count, rulesPerEvent: result.rulesPerEvent, matches: result.matches.length });
    position += 1;
  }
  const seconds = cpuBetween(before, cpuSeconds()).total + own;
  source.close();
  sandbox.close();
  return { eventsPerSecond: rate(events, seconds), events, seconds, outcomes, counts };
}

function rulesPerEvent(counts: readonly Count[], content: SandboxContent) {
  const rulesOf = new Map<string, number>();
  for (const rule of content.rules)
    for (const logType of rule.logTypes) rulesOf.set(logType, (rulesOf.get(logType) ?? 0) + 1);
  const eventsByRun: number[] = [];
  const eventsByShare = new Map<number, number>();
  for (const count of counts) {
    const rules = rulesOf.get(count.logType) ?? 0;
    for (const [run, events] of count.rulesPerEvent.entries()) {
      eventsByRun[run] = (eventsByRun[run] ?? 0) + events;
      const share = rules === 0 ? 0 : run / rules;
      eventsByShare.set(share, (eventsByShare.get(share) ?? 0) + events);
    }
  }
  const runs = [...eventsByRun.entries()].map(([run, events]) => [run, events ?? 0] as const);
  const total = runs.reduce((sum, [, events]) => sum + events, 0);
  const mean = runs.reduce((sum, [run, events]) => sum + run * events, 0) / Math.max(1, total);
  return {
    mean: Math.round(mean * 100) / 100,
    p95: weightedPercentile(runs, 0.95),
    p95Share: weightedPercentile([...eventsByShare], 0.95),
  };
}

/** The smallest value that so large a share of all events does not exceed. */
function weightedPercentile(values: readonly (readonly [value: number, events: number])[], share: number): number {
  const sorted = values.toSorted(([a], [b]) => a - b);
  const wanted = share * sorted.reduce((sum, [, events]) => sum + events, 0);
  let seen = 0;
  for (const [value, events] of sorted) {
    seen += events;
    if (seen >= wanted) return value;
  }
  return 0;
}

/** The first few things that two runs say differently. */
function differencesOf(left: readonly Outcome[], right: readonly Outcome[], blocks: number): readonly unknown[] {
  const found: unknown[] = [];
  for (let block = 0; block < blocks && found.length < 5; block++)
    for (const kind of ['matches', 'errors'] as const) {
      const [one, other] = [left[block]?.[kind] ?? [], right[block]?.[kind] ?? []];
      const place = Array.from({ length: Math.max(one.length, other.length) }).findIndex(
        (_, index) => !isDeepStrictEqual(one[index], other[index]),
      );
      if (place !== -1) found.push({ block, kind, left: one[place] ?? null, right: other[place] ?? null });
    }
  return found;
}

async function compare(call: Call, all: Stream, few: Stream, say: (line: string) => void) {
  const native = await runNative(call, few);
  say(`native brute force: ${native.eventsPerSecond} events per second`);
  const brute = await runSandbox(call, few, { mode: 'off', verifyShare: 0 });
  say(`sandbox brute force: ${brute.eventsPerSecond}`);
  const indexed = await runSandbox(call, all, { mode: 'strict', verifyShare: 0 });
  say(`sandbox with the index: ${indexed.eventsPerSecond}`);
  const matchesOnly = await runSandbox(call, few, { mode: 'matches', verifyShare: 0 });
  say(`sandbox with the index, matches only: ${matchesOnly.eventsPerSecond}`);
  const compared = Math.min(brute.outcomes.length, indexed.outcomes.length);
  const differences = ({ outcomes }: Measured) => differencesOf(indexed.outcomes, outcomes, compared);
  const matches = indexed.counts.reduce((sum, count) => sum + count.matches, 0);
  return {
    events: indexed.events,
    cpuSeconds: Math.round(indexed.seconds * 10) / 10,
    native: { eventsPerSecond: native.eventsPerSecond },
    sandboxBrute: { eventsPerSecond: brute.eventsPerSecond },
    sandboxIndexed: { eventsPerSecond: indexed.eventsPerSecond },
    sandboxMatchesOnly: { eventsPerSecond: matchesOnly.eventsPerSecond },
    ratioToNative: Math.round((indexed.eventsPerSecond / native.eventsPerSecond) * 100) / 100,
    rulesPerEvent: rulesPerEvent(indexed.counts, call.content),
    matchesPerEvent: Math.round((matches / indexed.events) * 100) / 100,
    blocksCompared: compared,
    identical: differences(brute).length === 0,
    differencesToNative: differences(native),
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
  summary:
    'events per second and core through all rules of a content folder: native, sandbox, sandbox with the index; with --minutes what memory that takes over time',
  options: {
    corpus: { type: 'string', default: path.resolve(import.meta.dirname, '../../content') },
    library: { type: 'string', default: '' },
    events: { type: 'string', default: '800000' },
    'brute-events': { type: 'string', default: '120000' },
    mixed: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '0' },
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
      const minutes = wholeOption(options, 'minutes');
      if (minutes > 0) return await measureGrowth({ content, bundle, eventsByLogType, seed, minutes, say });
      const blocks = await stored(
        path.join(folder, 'cloudtrail'),
        cloudTrailBlocks(seed, wholeOption(options, 'events')),
      );
      const warm = 20;
      const few = blocks.slice(0, Math.ceil(wholeOption(options, 'brute-events') / blockEvents));
      const cloudTrail = await compare(call, { blocks, warm }, { blocks: few, warm }, say);
      const mixedEvents = wholeOption(options, 'mixed');
      const stream = {
        blocks: await stored(path.join(folder, 'mixed'), mixedBlocks(eventsByLogType, seed, mixedEvents)),
        warm: warmRounds * eventsByLogType.size,
      };
      const mixed = mixedEvents === 0 ? undefined : await compare(call, stream, stream, say);
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
