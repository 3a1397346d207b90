import { createSandboxPool } from '#detections';
import { chooseWalls } from '#platform/walls';
import type { SandboxContent, SandboxPool } from '../../../src/detections/sandbox/sandbox-contract.ts';
import { type Block, cloudTrailBlocks, mixedBlocks } from './detection-events.ts';

type Call = {
  readonly content: SandboxContent;
  readonly bundle: string;
  readonly eventsByLogType: ReadonlyMap<string, readonly string[]>;
  readonly seed: number;
  readonly minutes: number;
  readonly say: (line: string) => void;
};

/** Mebibytes. */
type Memory = { readonly seconds: number; readonly parent: number; readonly steady: number; readonly changing: number };

const mebibyte = 1024 * 1024;
const sampleEverySeconds = 10;
const revisionEverySeconds = 60;
/** Of so many blocks one goes to the tenant whose content changes. */
const changingStride = 4;
/** What memory may grow by between the middle and the end, when heaps have found their size. */
const growthShareMax = 1.1;
const growthMebibytesMax = 24;

function* endlessBlocks({ eventsByLogType, seed }: Pick<Call, 'eventsByLogType' | 'seed'>): Generator<Block> {
  const trails = cloudTrailBlocks(seed, Number.MAX_SAFE_INTEGER);
  for (const block of mixedBlocks(eventsByLogType, seed, Number.MAX_SAFE_INTEGER)) {
    yield block;
    yield trails.next().value as Block;
  }
}

/** The same rules under another revision, as after an edit. */
function edited(content: SandboxContent, edit: number): SandboxContent {
  const rules = content.rules.map((rule) => ({ ...rule, body: `${rule.body}\n# ${edit}\n` }));
  return { ...content, revision: `${content.revision}-${edit}`, rules };
}

const megabytes = (bytes: number): number => Math.round(bytes / mebibyte);

function measure(startedAt: number, steady: SandboxPool, changing: SandboxPool): Memory {
  return {
    seconds: Math.round((performance.now() - startedAt) / 1000),
    parent: megabytes(process.memoryUsage().rss),
    steady: megabytes(steady.status().memoryBytes),
    changing: megabytes(changing.status().memoryBytes),
  };
}

function summary(samples: readonly Memory[], of: 'parent' | 'steady' | 'changing') {
  const values = samples.map((sample) => sample[of]);
  return {
    start: values[0],
    middle: values[Math.floor(values.length / 2)],
    end: values.at(-1),
    max: Math.max(...values),
  };
}

function grown(name: string, { middle = 0, end = 0 }: ReturnType<typeof summary>): readonly string[] {
  return end > middle * growthShareMax + growthMebibytesMax
    ? [`${name} grew from ${middle} to ${end} MiB in the second half.`]
    : [];
}

/**
 * Evaluates for some minutes without a pause, blocks of many log types in turn: for one tenant whose content stays, and
 * for one whose content gets a new revision every minute. Tells what memory the parent and the interpreters hold, and
 * how often the steady interpreter was replaced, which is when what it holds drops.
 */
export async function measureGrowth({ content, bundle, minutes, say, ...stream }: Call) {
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
  const limits = { loadTimeoutMs: 600_000, chunkTimeoutMs: 600_000, ruleTimeoutMs: 60_000 };
  const [steady, changing] = [
    createSandboxPool({ walls, bundle, limits }),
    createSandboxPool({ walls, bundle, limits }),
  ];
  const samples: Memory[] = [];
  let events = 0;
  let revisions = 0;
  let current = content;
  let blocks = 0;
  let recycles = 0;
  try {
    let startedAt = 0;
    for (const { logType, records, count } of endlessBlocks(stream)) {
      if (startedAt > 0 && performance.now() - startedAt > minutes * 60_000) break;
      await steady.evaluate({ tenantId: 'steady', content, logType, records });
      events += count;
      blocks += 1;
      // Loading is not counted: the clock starts when both have their interpreters.
      if (blocks % changingStride === 1) {
        await changing.evaluate({ tenantId: 'changing', content: current, logType, records });
        events += count;
      }
      startedAt ||= performance.now();
      const seconds = (performance.now() - startedAt) / 1000;
      if (seconds >= samples.length * sampleEverySeconds) {
        const sample = measure(startedAt, steady, changing);
        samples.push(sample);
        say(`${sample.seconds} s: parent ${sample.parent} MiB, steady ${sample.steady}, changing ${sample.changing}`);
      }
      if (seconds >= (revisions + 1) * revisionEverySeconds) current = edited(content, (revisions += 1));
    }
    recycles = steady.status().recycles;
  } finally {
    await Promise.all([steady.close(), changing.close()]);
  }
  const [parentMebibytes, interpreterMebibytes, changingMebibytes] = [
    summary(samples, 'parent'),
    summary(samples, 'steady'),
    summary(samples, 'changing'),
  ];
  return {
    figures: { minutes, events, blocks, revisions, recycles, parentMebibytes, interpreterMebibytes, changingMebibytes },
    problems: [...grown('The parent', parentMebibytes), ...grown('The interpreter', interpreterMebibytes)],
  };
}
