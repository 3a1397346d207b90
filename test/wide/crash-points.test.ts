import { isDeepStrictEqual } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { type CrashResult, startCrashRun, undisturbed } from '../crash-points/crash-run.ts';

const run = await startCrashRun();
afterAll(() => run.stop());

/** `MARGAY_CRASH_POINT='deliverer' npm run wide -- tests` tries the steps that the expression fits, and no others. */
const wanted = new RegExp(process.env['MARGAY_CRASH_POINT'] ?? '');
/** What happens by the clock may not happen in every passage. */
const triesMax = 4;

type Row = { readonly step: string; readonly isReached: boolean; readonly isRight: boolean; readonly seconds: number };

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const lineOf = ({ step, isReached, isRight, seconds }: Row): string =>
  `| ${step} | ${isReached ? 'yes' : 'no'} | ${isRight ? 'as undisturbed' : 'WRONG'} | ${seconds.toFixed(0)} s |`;

test('a process may end after any durable step: the work is finished, and nothing is lost or doubled', async () => {
  const { outcome, steps } = await undisturbed(run);
  const isRight = (found: unknown): boolean => isDeepStrictEqual(found, outcome);
  const rows: Row[] = [];
  const tryStops = async (step: string, stops: readonly string[]): Promise<CrashResult> => {
    for (let tries = 1; ; tries += 1) {
      const crashed = await run.passage(stops, isRight);
      const isReached = crashed.reached.includes(step);
      if (!isReached && tries < triesMax && isRight(crashed.outcome)) continue;
      const row = {
        step: stops.join(', then '),
        isReached,
        isRight: isRight(crashed.outcome),
        seconds: crashed.seconds,
      };
      rows.push(row);
      say(lineOf(row));
      if (!row.isRight) expect.soft(crashed.outcome, row.step).toEqual(outcome);
      return crashed;
    }
  };
  say('| after this step a process ended | happened | outcome | took |\n|---|---|---|---|');
  const causeOf = new Map<string, string>();
  for (const step of steps.filter((name) => wanted.test(name))) {
    const { journal } = await tryStops(step, [step]);
    for (const other of journal) if (!steps.includes(other) && !causeOf.has(other)) causeOf.set(other, step);
  }
  const notReached = rows.filter(({ isReached }) => !isReached).map(({ step }) => step);
  // Steps that only the way back knows: a process ends there too.
  for (const [step, cause] of causeOf) if (wanted.test(step)) await tryStops(step, [cause, step]);
  say(`${rows.length} points, ${rows.filter((row) => row.isReached && row.isRight).length} reached and right`);
  for (const late of await run.readAll()) expect(late).toEqual(outcome);
  expect(notReached).toEqual([]);
}, 7_200_000);
