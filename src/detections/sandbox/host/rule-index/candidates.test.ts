import { expect, test } from 'vitest';
import { Candidates } from './candidates.ts';
import { parsePlan, type PlanSpec } from './plan.ts';

type Row = readonly unknown[];

/** The same numbers below one for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const keys = ['name', 'kind', 'code', 'host', 'size'];
const values: readonly unknown[] = [undefined, null, '', 'a', 'b', 'ab', 0, 1, true, [], ['a'], {}, { id: 'a' }];

const choice = <T>(items: readonly T[], random: () => number): T =>
  items[Math.floor(random() * items.length)] ?? (items[0] as T);

/** Members with two defaults each, something below them, and the event itself. */
function subjectRows(): readonly Row[] {
  const members = keys.flatMap((key) => [
    ['get', 0, [key, [null]]],
    ['get', 0, [key, ['']]],
  ]);
  const below = members.map((_, index) => ['get', index + 1, ['id', [null]]]);
  return [['event', -1, []], ...members, ...below, ['elem', 1, []]];
}

function randomPlan(rules: number, random: () => number): PlanSpec {
  const subjects = subjectRows();
  const atoms: Row[] = [];
  const formulas: Row[] = [['true'], ['false']];
  const top: Row[] = [];
  const formula = (depth: number): number => {
    if (depth === 0 || random() < 0.3) {
      const [test, args] = choice<Row>([['in', ['a', 'b']], ['in', [null, 1]], ['truthy', []], ['type', ['str']], ['has', ['a']]], random); // prettier-ignore
      atoms.push([Math.floor(random() * subjects.length), test, args, random() < 0.5]);
      formulas.push(['atom', atoms.length - 1]);
    } else {
      const kids = Array.from({ length: 2 + Math.floor(random() * 2) }, () => formula(depth - 1));
      formulas.push([random() < 0.5 ? 'and' : 'or', ...kids]);
    }
    return formulas.length - 1;
  };
  for (let rule = 0; rule < rules; rule++) top.push([rule, formula(3), rule % 7 === 0 ? 0 : formula(2)]);
  return parsePlan({ subjects, atoms, formulas, rules: top });
}

function randomEvent(random: () => number): Readonly<Record<string, unknown>> {
  const spelled = keys.map((key) => (random() < 0.1 ? key.toUpperCase() : key));
  return Object.fromEntries(spelled.map((key) => [key, choice(values, random)] as const).filter(([, value]) => value !== undefined)); // prettier-ignore
}

test('what one event taught changes nothing for the next: a dispatch that is used agrees with a fresh one', () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = createRandom(seed);
    const plan = randomPlan(30, random);
    for (const mode of ['strict', 'matches'] as const) {
      const used = new Candidates(plan, mode);
      for (let count = 0; count < 150; count++) {
        const event = randomEvent(random);
        expect(used.of(event), JSON.stringify({ seed, mode, event })).toEqual(new Candidates(plan, mode).of(event));
      }
    }
  }
});

test('each rule is asked about as if it were alone, when there is nothing to dispatch by', () => {
  const random = createRandom(99);
  const plan = randomPlan(30, random);
  const together = new Candidates(plan, 'strict');
  const alone = plan.rules.map((rule) => new Candidates({ ...plan, rules: [rule] }, 'strict'));
  for (let count = 0; count < 1000; count++) {
    const event = randomEvent(random);
    expect(together.of(event), JSON.stringify(event)).toEqual(alone.flatMap((one) => one.of(event)));
  }
});

test('values that never come again are forgotten, and the answers stay right', () => {
  const plan = randomPlan(30, createRandom(5));
  const used = new Candidates(plan, 'strict');
  for (let count = 0; count < 20_000; count++)
    used.of({ name: `n${count}`, kind: `k${count % 3000}`, code: count, host: `${count}` });
  for (const name of ['a', 'b', 'n1', 'n19999'])
    expect(used.of({ name, kind: 'a' })).toEqual(new Candidates(plan, 'strict').of({ name, kind: 'a' }));
});
