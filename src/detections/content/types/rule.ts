import { z } from 'zod';
import { contentId, describing, eventTest, fileName, logType, severity, textSet } from './common.ts';
import { contextEntry, keySpecifier, matchExpressions } from './match-expression.ts';

/** Rules on events and on results of scheduled queries, with Python or without, and rules derived from another. */

const dynamicSeverity = z.strictObject({ ChangeTo: severity, Conditions: matchExpressions });
const dedupPeriod = z.number().int().min(0);
const threshold = z.number().int().min(0);

const alerting = {
  InlineFilters: matchExpressions.optional(),
  SummaryAttributes: textSet(z.string().max(1000)).optional(),
  AlertTitle: z.string().max(1000).optional(),
  AlertContext: z.array(contextEntry).max(500).optional(),
  GroupBy: z.array(keySpecifier).max(100).optional(),
  DynamicSeverities: z.array(dynamicSeverity).max(100).optional(),
  Tests: z.array(eventTest).max(500).optional(),
};

/** Zero is not kept by the alert window; one to four minutes count as five. */
const defaultedPeriod = dedupPeriod.default(60).transform((minutes) => (minutes === 0 ? 60 : Math.max(5, minutes)));

const rule = {
  RuleID: contentId,
  Enabled: z.boolean(),
  Filename: fileName.optional(),
  Detection: matchExpressions.optional(),
  LogTypes: textSet(logType).min(1, 'needs one log type or more').optional(),
  ScheduledQueries: textSet(z.string().min(1).max(1000)).min(1, 'needs one query or more').optional(),
  Severity: severity,
  DedupPeriodMinutes: defaultedPeriod,
  Threshold: threshold.default(1).transform((count) => Math.max(1, count)),
  CreateAlert: z.boolean().default(true),
  ...describing,
  ...alerting,
};

type RuleKeys = {
  readonly Filename?: unknown;
  readonly Detection?: unknown;
  readonly LogTypes?: unknown;
  readonly ScheduledQueries?: unknown;
};

function checkRule(spec: RuleKeys, context: z.RefinementCtx): void {
  if ((spec.Filename === undefined) === (spec.Detection === undefined))
    context.addIssue({ code: 'custom', path: ['Filename'], message: 'needs exactly one of Filename and Detection' });
}

export const ruleSpec = z.strictObject({ AnalysisType: z.literal('rule'), ...rule }).superRefine((spec, context) => {
  checkRule(spec, context);
  if (spec.LogTypes === undefined) context.addIssue({ code: 'custom', path: ['LogTypes'], message: 'is missing' });
  if (spec.ScheduledQueries !== undefined)
    context.addIssue({ code: 'custom', path: ['ScheduledQueries'], message: 'belongs to a scheduled_rule' });
});

export const scheduledRuleSpec = z
  .strictObject({ AnalysisType: z.literal('scheduled_rule'), ...rule })
  .superRefine((spec, context) => {
    checkRule(spec, context);
    if (spec.ScheduledQueries === undefined)
      context.addIssue({ code: 'custom', path: ['ScheduledQueries'], message: 'is missing' });
    if (spec.LogTypes !== undefined)
      context.addIssue({ code: 'custom', path: ['LogTypes'], message: 'belongs to a rule' });
  });

const { CreatedBy: _createdBy, ...derivedDescribing } = describing;

/** Overrides of another rule. Whatever it names replaces the value of its base entirely; logic stays the base's. */
export const derivedRuleSpec = z.strictObject({
  AnalysisType: z.literal('rule', { error: 'must be rule for a rule with a BaseDetection' }),
  RuleID: contentId,
  BaseDetection: contentId,
  Enabled: z.boolean().optional(),
  Severity: severity.optional(),
  DedupPeriodMinutes: dedupPeriod.transform((minutes) => (minutes === 0 ? 60 : Math.max(5, minutes))).optional(),
  Threshold: threshold.transform((count) => Math.max(1, count)).optional(),
  CreateAlert: z.boolean().optional(),
  ...derivedDescribing,
  ...alerting,
});

export type RuleSpec = z.output<typeof ruleSpec>;
export type ScheduledRuleSpec = z.output<typeof scheduledRuleSpec>;
export type DerivedRuleSpec = z.output<typeof derivedRuleSpec>;
