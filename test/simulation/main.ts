/**
 * `npm run simulate -- [--seed S] [--schedules N] [--minutes M] [--trace]`: runs schedules from a seed on, stops at the first
 * broken promise and prints its trace. `SEED=…` in the environment runs that one alone.
 */
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    schedules: { type: 'string' },
    minutes: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
});
const single = process.env['SEED'];
const first = Number(single ?? values.seed ?? 1);
const schedules =
  single === undefined ? Number(values.schedules ?? (values.minutes === undefined ? 2000 : Infinity)) : 1;
const endsAt = Date.now() + Number(values.minutes ?? Infinity) * 60_000;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const startedAt = Date.now();
const totals: Record<string, number> = {};
let count = 0;
for (let seed = first; seed < first + schedules && Date.now() < endsAt; seed++) {
  const outcome = await simulate(seed, { isTraced: single !== undefined || values.trace });
  count += 1;
  for (const [name, value] of Object.entries({ steps: outcome.steps, ...outcome.counts, ...outcome.faults }))
    totals[name] = (totals[name] ?? 0) + value;
  if (outcome.problems.length > 0 || single !== undefined) {
    const { trace, problems } = outcome.trace.length > 0 ? outcome : await simulate(seed, { isTraced: true });
    for (const line of trace) print(line);
    print(
      problems.length === 0
        ? `Seed ${seed}: all promises kept.`
        : `Seed ${seed} breaks promises; again: SEED=${seed} npm run simulate`,
    );
    for (const problem of problems) print(`  ${problem}`);
    if (problems.length > 0) {
      process.exitCode = 1;
      break;
    }
  }
}
const seconds = (Date.now() - startedAt) / 1000;
print(
  JSON.stringify({
    schedules: count,
    firstSeed: first,
    seconds,
    schedulesPerMinute: Math.round((count / seconds) * 60),
    ...totals,
  }),
);
