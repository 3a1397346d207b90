import type { CorrelationDetection } from '../content/types/correlation-rule.ts';

/** One signal of a rule that takes part: which member it belongs to, when, and the texts at the fields that are compared. */
export type Signal = {
  readonly member: string;
  readonly atMs: number;
  readonly values: ReadonlyMap<string, readonly string[]>;
};

/** What was found: the shared value (empty when none is asked for) and the signals that take part. */
export type Correlation = { readonly value: string; readonly signals: readonly Signal[] };

type Member = NonNullable<CorrelationDetection['Group']>[number];

/** Name of a member inside its rule. */
export const memberId = ({ ID, RuleID }: Member): string => ID ?? RuleID;

export const minuteMs = 60_000;
