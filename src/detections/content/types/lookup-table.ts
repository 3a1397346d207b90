import { z } from 'zod';
import { fileName, longText, textSet, version } from './common.ts';
import { queryKeys, queryOf } from './query.ts';

/** Tables that enrich events: from a file, from an object that is fetched again and again, or from a query. */

const minutes = z.number().int().min(1);
const logTypeMap = z.strictObject({
  PrimaryKey: z.string().min(1).max(1000),
  AssociatedLogTypes: z
    .array(
      z.strictObject({
        LogType: z.string().min(1).max(255),
        Selectors: z.array(z.string().min(1).max(1000)).max(100),
      }),
    )
    .max(500)
    .optional(),
});
const refresh = z.strictObject({
  ObjectPath: z.string().max(2000).optional(),
  PeriodMinutes: minutes.optional(),
  CronExpression: z.string().max(200).optional(),
  AlarmPeriodMinutes: minutes.max(1440, 'is 1440 at most').optional(),
  RoleARN: z.string().max(2000).optional(),
  ObjectKMSKey: z.string().max(2000).optional(),
  GCSCredentials: z.string().max(20_000).optional(),
  StorageProvider: z.string().max(100).optional(),
});
const fieldList = (key: 'Indicators' | 'Validations') =>
  z.array(z.strictObject({ Field: z.string().min(1), [key]: textSet(z.string()) })).max(500);

export const lookupTableSpec = z
  .strictObject({
    AnalysisType: z.literal('lookup_table'),
    LookupName: z.string().min(1, 'is empty').max(1000),
    Enabled: z.boolean(),
    Description: longText.optional(),
    Reference: longText.optional(),
    Schema: z.string().min(1).max(255).optional(),
    LogTypeMap: logTypeMap,
    Filename: fileName.optional(),
    Refresh: refresh.optional(),
    Indicators: fieldList('Indicators').optional(),
    Validations: fieldList('Validations').optional(),
    ...queryKeys,
    ...version,
  })
  .superRefine((spec, context) => {
    const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { Refresh } = spec;
    if (queryOf(spec) !== undefined) {
      if (spec.Filename !== undefined) add(['Filename'], 'does not go with a query');
      if (Refresh === undefined || (Refresh.PeriodMinutes === undefined) === (Refresh.CronExpression === undefined))
        add(['Refresh'], 'needs exactly one of PeriodMinutes and CronExpression');
      return;
    }
    if (spec.Schema === undefined) add(['Schema'], 'is missing');
    if ((spec.Filename === undefined) === (Refresh === undefined))
      add(['Filename'], 'needs exactly one of Filename and Refresh');
    if (Refresh === undefined) return;
    if (Refresh.ObjectPath === undefined) add(['Refresh', 'ObjectPath'], 'is missing');
    if (Refresh.PeriodMinutes === undefined) add(['Refresh', 'PeriodMinutes'], 'is missing');
    if (Refresh.RoleARN !== undefined && Refresh.GCSCredentials !== undefined)
      add(['Refresh', 'RoleARN'], 'does not go with GCSCredentials');
  });
