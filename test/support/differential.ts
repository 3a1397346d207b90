/** Runs every rule on events and compares with what the rule index would have run. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { IndexUse, SandboxContent } from '../../src/detections/sandbox/sandbox-contract.ts';
import { createProcessSource } from '../../src/detections/sandbox/process-source.ts';
import { TenantSandbox } from '../../src/detections/sandbox/tenant-sandbox.ts';
import { chooseWalls } from '#platform/walls';
import { choose, mutateEvent } from './mutate-event.ts';

type Json = Readonly<Record<string, unknown>>;

export type Difference = {
  /** Pairs of a rule and an event that were compared. */
  readonly pairs: number;
  readonly matches: number;
  readonly errors: number;
  readonly missed: readonly { readonly ruleId: string; readonly logType: string; readonly event: string }[];
};

type Request = {
  readonly sandbox: Pick<TenantSandbox, 'evaluate'>;
  readonly content: SandboxContent;
  readonly eventsByLogType: ReadonlyMap<string, readonly Json[]>;
  readonly milliseconds: number;
  readonly random: () => number;
};

const eventsPerRound = 200;

function roundOf(own: readonly Json[], all: readonly Json[], isFirst: boolean, random: () => number): readonly Json[] {
  const mutated = Array.from({ length: eventsPerRound }, () => mutateEvent(choose(own, random) ?? {}, own, random));
  const foreign = Array.from({ length: eventsPerRound / 4 }, () => choose(all, random) ?? {});
  return [...(isFirst ? own : []), ...mutated, ...foreign];
}

/** Goes round all log types until the time is over, at least once: own events, changed ones, other log types' events. */
export async function findDifferences({
  sandbox,
  content,
  eventsByLogType,
  milliseconds,
  random,
}: Request): Promise<Difference> {
  const until = performance.now() + milliseconds;
  const all = [...eventsByLogType.values()].flat();
  const missed: Difference['missed'][number][] = [];
  const total = { pairs: 0, matches: 0, errors: 0 };
  for (let round = 0; round === 0 || performance.now() < until; round++) {
    for (const [logType, own] of eventsByLogType) {
      const rules = content.rules.filter((rule) => rule.logTypes.includes(logType)).length;
      const events = roundOf(own, all, round === 0, random);
      const lines = events.map((event) => JSON.stringify(event));
      const records = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const found = await sandbox.evaluate(content, { logType, records }, () => Promise.resolve());
      total.pairs += rules * events.length;
      total.matches += found.matches.length;
      total.errors += found.errors.length;
      for (const { ruleId, recordIndex } of found.indexMisses)
        missed.push({ ruleId, logType, event: lines[recordIndex] ?? '' });
      if (round > 0 && performance.now() > until) break;
    }
  }
  return { ...total, missed };
}

/** A sandbox with patience for slow machines. */
export async function patientSandbox(
  bundle: string,
  index: IndexUse,
): Promise<{ readonly sandbox: TenantSandbox; close(): void }> {
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
  const source = createProcessSource(walls, bundle);
  const limits = {
    chunkRecords: 50,
    chunkBytes: 4 * 1024 * 1024,
    chunkTimeoutMs: 600_000,
    ruleTimeoutMs: 60_000,
    loadTimeoutMs: 600_000,
    culpritsMax: 5,
  };
  const sandbox = new TenantSandbox({ newProcess: (image) => source.take(image), limits, index, snapshots: undefined });
  return {
    sandbox,
    close() {
      source.close();
      sandbox.close();
    },
  };
}

/** The real CloudTrail records beside the checkout, or none with a printed reason. */
export function realCloudTrail(): readonly Json[] {
  const folder = path.join(process.env['MARGAY_SHARED_DIR'] ?? path.resolve('../shared'), 'data/cloudtrail/s3');
  try {
    return readdirSync(folder).flatMap((file) => {
      const text = gunzipSync(readFileSync(path.join(folder, file))).toString('utf8');
      return (JSON.parse(text) as { readonly Records: readonly Json[] }).Records;
    });
  } catch {
    process.stdout.write(`skipped: real CloudTrail records, because ${folder} is absent\n`);
    return [];
  }
}
