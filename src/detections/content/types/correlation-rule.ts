import { z } from 'zod';
import { contentId, describing, schedule, severity, textSet } from './common.ts';

/** Rules over the signals of other rules: in any order (Group), or one after the other (Sequence). */

const count = z.number().int().min(0).max(1_000_000);
const member = z.strictObject({
  ID: z.string().min(1).max(1000).optional(),
  RuleID: contentId,
  MinMatchCount: count.optional(),
  MaxMatchCount: count.optional(),
  Absence: z.boolean().optional(),
});
const transitionMatch = z
  .strictObject({
    On: z.string().min(1).max(1000).optional(),
    From: z.string().min(1).max(1000).optional(),
    To: z.string().min(1).max(1000).optional(),
  })
  .refine(
    ({ On, From, To }) =>
      On === undefined ? From !== undefined && To !== undefined : From === undefined && To === undefined,
    'needs either On, or From and To',
  );
const transition = z.strictObject({
  ID: z.string().max(1000).optional(),
  From: z.string().min(1).max(1000),
  To: z.string().min(1).max(1000),
  WithinTimeFrameMinutes: z.number().int().min(1).optional(),
  Match: z.array(transitionMatch).length(1, 'needs exactly one entry').optional(),
});
const criteria = z.array(z.strictObject({ GroupID: z.string().min(1).max(1000), Match: z.string().min(1).max(1000) }));

const detection = z
  .strictObject({
    Schedule: schedule,
    LookbackWindowMinutes: z.number().int().min(1).max(43_200).default(15),
    EventEvaluationOrder: z.enum(['Chronological', 'ReverseChronological']).default('Chronological'),
    Sequence: z.array(member).min(1).max(50).optional(),
    Transitions: z.array(transition).max(50).optional(),
    Group: z.array(member).min(1).max(50).optional(),
    MatchCriteria: z.record(z.string(), criteria).optional(),
    MinMatchCount: count.optional(),
  })
  .superRefine((spec, context) => {
    const add = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
    if ((spec.Sequence === undefined) === (spec.Group === undefined))
      return add('Sequence', 'SD00200005: needs exactly one of Sequence and Group');
    const ids = (spec.Sequence ?? spec.Group ?? []).map((item) => item.ID ?? item.RuleID);
    if (new Set(ids).size !== ids.length) add(spec.Sequence ? 'Sequence' : 'Group', 'SD00200006: has an ID twice');
    if (spec.Group && spec.Transitions) add('Transitions', 'SD00200007: belongs to a Sequence');
    if (spec.Sequence && (spec.MatchCriteria || spec.MinMatchCount !== undefined))
      add('MatchCriteria', 'SD00200008: MatchCriteria and MinMatchCount belong to a Group');
    for (const { From, To } of spec.Transitions ?? [])
      for (const id of [From, To])
        if (!ids.includes(id)) add('Transitions', `SD00200009: "${id}" is no ID of the Sequence`);
    for (const entry of Object.values(spec.MatchCriteria ?? {}).flat())
      if (!ids.includes(entry.GroupID)) add('MatchCriteria', `SD00200010: "${entry.GroupID}" is no ID of the Group`);
    return undefined;
  });

const moment = z.union([z.number(), z.string().max(100)]);
const test = z.strictObject({
  Name: z.string().min(1).max(1000),
  ExpectedResult: z.boolean(),
  RuleOutputs: z
    .array(
      z.strictObject({
        ID: z.string().min(1).max(1000),
        Matches: z.record(z.string(), z.record(z.string(), z.array(moment))).optional(),
      }),
    )
    .max(50),
});

export const correlationRuleSpec = z.strictObject({
  AnalysisType: z.literal('correlation_rule'),
  RuleID: contentId,
  Enabled: z.boolean(),
  Detection: z.array(detection).length(1, 'needs exactly one entry'),
  Severity: severity,
  CreateAlert: z.boolean().default(true),
  DedupPeriodMinutes: z.number().int().min(1).optional(),
  Threshold: z.number().int().min(1).optional(),
  SummaryAttributes: textSet(z.string().max(1000)).optional(),
  ...describing,
  Tests: z.array(test).max(500).optional(),
});

export type CorrelationRuleSpec = z.output<typeof correlationRuleSpec>;
export type CorrelationDetection = CorrelationRuleSpec['Detection'][number];
export type CorrelationTest = z.output<typeof test>;
