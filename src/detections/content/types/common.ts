import { z } from 'zod';

/** What the types of content have in common: ids, texts, severities, tests. Limits are those of the formats. */

/** Of rules, policies, packs, queries and shown names. */
const forbidden = /^[^<>&"%]+$/;
const forbiddenMessage = `must not contain < > & " or %`;

export const contentId = z.string().min(1, 'is empty').max(1000).regex(forbidden, forbiddenMessage);
export const displayName = z.string().max(1000).regex(forbidden, forbiddenMessage).or(z.literal(''));
export const longText = z.string().max(10_000, 'has more than 10000 characters');
export const fileName = z.string().min(1, 'is empty').max(500);
export const logType = z.string().min(1, 'is empty').max(255);
export const severity = z
  .enum(['Info', 'Low', 'Medium', 'High', 'Critical'], { error: 'must be Info, Low, Medium, High or Critical' })
  .transform((text) => text.toUpperCase() as 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL');

function isDistinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

/** A list whose entries must differ. */
export const textSet = (entry: z.ZodString, max = 500) =>
  z.array(entry).max(max, `has more than ${max} entries`).refine(isDistinct, 'has an entry twice');

export const tags = textSet(z.string().max(1000)).refine(
  (values) => isDistinct(values.map((value) => value.toLowerCase())),
  'has a tag twice that differs only by case',
);
const reports = z.record(z.string(), z.array(z.union([z.string(), z.number()])).max(500));
const baseVersion = z.number().int().min(0);

/** Keys that every detection may have. */
export const describing = {
  Description: longText.optional(),
  Reference: longText.optional(),
  Runbook: longText.optional(),
  CreatedBy: z.string().max(1000).optional(),
  Status: z.string().max(1000).optional(),
  DisplayName: displayName.optional(),
  OnlyUseBaseRiskScore: z.boolean().optional(),
  OutputIds: textSet(z.string().max(1000)).optional(),
  Tags: tags.optional(),
  Reports: reports.optional(),
  BaseVersion: baseVersion.optional(),
};

export const version = { BaseVersion: baseVersion.optional() };

const mocks = z
  .array(z.strictObject({ objectName: z.string().min(1).max(200), returnValue: z.union([z.string(), z.boolean()]) }))
  .max(100);
const named = { Name: z.string().min(1, 'is empty').max(1000), ExpectedResult: z.boolean() };

/** A unit test over an event. */
export const eventTest = z.strictObject({
  ...named,
  Log: z.record(z.string(), z.unknown()),
  LogType: z.string().optional(),
  Mocks: mocks.optional(),
});
/** A unit test over a cloud resource. */
export const resourceTest = z.strictObject({
  ...named,
  Resource: z.record(z.string(), z.unknown()),
  ResourceType: z.string().optional(),
  Mocks: mocks.optional(),
});

/** When something runs: by the clock, or every so many minutes. */
export const schedule = z
  .strictObject({
    CronExpression: z.string().min(1).max(200).optional(),
    RateMinutes: z.number().int().optional(),
    TimeoutMinutes: z.number().int().min(1),
  })
  .superRefine(({ CronExpression, RateMinutes, TimeoutMinutes }, context) => {
    const add = (message: string) => context.addIssue({ code: 'custom', message });
    if ((CronExpression === undefined) === (RateMinutes === undefined))
      add('needs exactly one of CronExpression and RateMinutes');
    else if (RateMinutes !== undefined && RateMinutes <= 1) add('RateMinutes must be greater than 1');
    else if (RateMinutes !== undefined && RateMinutes < TimeoutMinutes)
      add('RateMinutes must not be smaller than TimeoutMinutes');
  });
