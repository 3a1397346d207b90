import { type Mutation, World } from './world.ts';
import type { BatchManifest } from '#ingestion';
import { startChanges, startSenders } from './actors.ts';
import { findProblems, whatIsStuck } from './oracle.ts';

export type Outcome = {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly steps: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<'batches' | 'events' | 'alerts' | 'messages', number>>;
  readonly trace: readonly string[];
};

const harmMs = 40_000;
/** Longer than any lease and than the pauses between a few failed deliveries. */
const recoveryMs = 6 * 3_600_000;
const afterwardsMs = 20_000;
/** A schedule that never comes to rest is ended here. */
const stepsMax = 30_000;

/** Remembers the first plan of each batch that was ever committed. */
function watchPlans(world: World): ReadonlyMap<string, BatchManifest> {
  const plans = new Map<string, BatchManifest>();
  world.tables.onCommit.add((written) => {
    for (const [key, row] of written.get('batches') ?? [])
      if (row !== null && row['manifest'] !== null && !plans.has(key)) plans.set(key, row['manifest'] as BatchManifest);
  });
  return plans;
}

/** Runs one schedule: the seed decides what happens when, and what fails. Never throws for a broken promise: it lists them. */
export async function simulate(
  seed: number,
  options: { isTraced?: boolean; mutation?: Mutation | undefined } = {},
): Promise<Outcome> {
  const world = new World({ seed, ...options });
  const { kernel, faults } = world;
  const plans = watchPlans(world);
  const { requests, done } = startSenders(world);
  startChanges(world);
  let areSendersDone = false;
  void done.then(() => (areSendersDone = true));
  await kernel.run(kernel.nowMs + harmMs, () => kernel.steps > stepsMax);
  world.calmDown();
  const isQuiet = (): boolean => kernel.steps % 64 === 0 && areSendersDone && whatIsStuck(world).length === 0;
  const untilQuiet = () => kernel.run(kernel.nowMs + recoveryMs, () => isQuiet() || kernel.steps > stepsMax);
  await untilQuiet();
  await kernel.run(kernel.nowMs + afterwardsMs, () => kernel.steps > stepsMax);
  // A person may have begun something in the meantime, such as a replay.
  await untilQuiet();
  const problems = areSendersDone ? findProblems(world, requests, plans) : ['a sender still waits for an answer'];
  return {
    seed,
    problems,
    steps: kernel.steps,
    faults: faults.counts,
    counts: {
      batches: world.tables.of('batches').size,
      events: requests.reduce((sum, { eventIds }) => sum + eventIds.length, 0),
      alerts: world.tables.of('alerts').size,
      messages: world.received.length,
    },
    trace: kernel.trace,
  };
}
