import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

/** Beyond ten years nobody means it, and the lake's clock ends in 2106. */
const daysMax = 3650;
const days = (least: number) =>
  z.number().int().min(least, `must be ${least} or more`).max(daysMax, `must be ${daysMax} or less`).nullish();

export const retention = defineQuery({
  name: 'retention',
  summary: 'How long data of the organization is kept, and the most the deployment allows.',
  permission: 'GeneralSettingsRead',
  input: z.strictObject({}),
});

export const updateRetention = defineMutation({
  name: 'updateRetention',
  summary: 'Keeps data of the organization for a shorter time than the deployment does.',
  permission: 'GeneralSettingsModify',
  audit: 'UPDATE_RETENTION',
  input: z.strictObject({ rawDays: days(1), eventDays: days(7), deliveryLogDays: days(1) }),
});

export const retentionOperations = [retention, updateRetention];
