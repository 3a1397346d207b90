import type { Outcome } from './outcome.ts';
import { requests } from './scenario.ts';

const counts = { classificationFailures: 1 };

/** What must come of a passage, worked out by hand; the rest must be as in an undisturbed one. */
export const expected: Partial<Outcome> = {
  events: Object.fromEntries(requests.flat().map(({ id }) => [id, 1] as const)),
  alerts: [
    "Rule error: Passage.Fails: KeyError: 'nothing', RULE_ERROR, MEDIUM, counts 1, KeyError",
    'hit a, RULE, LOW, counts 3, a',
    'hit b, RULE, LOW, counts 1, b',
    'many, RULE, HIGH, counts 4, many',
    'untaken a, RULE, INFO, counts 1, a',
  ],
  // Alerts do not wait for the rows of their batch: only with these is all done.
  batches: [
    ['DONE', { ...counts, events: 5, eventsByLogType: { 'Custom.Passage': 5 }, matches: 5, ruleErrors: 1 }],
    ['DONE', { ...counts, events: 4, eventsByLogType: { 'Custom.Passage': 4 }, matches: 4, ruleErrors: 0 }],
  ],
  remembered: { a: 3, b: 1 },
  deliveries: { DELIVERED: 5, FAILED: 2 },
  waiting: { outbox: 0, unloaded: 0 },
};
