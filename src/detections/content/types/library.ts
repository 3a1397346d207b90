import { z } from 'zod';
import { contentId, displayName, fileName, logType, longText, tags, textSet, version } from './common.ts';

/** What detections are made with: modules they import, names they use for fields, and sets that go together. */

export const globalSpec = z.strictObject({
  AnalysisType: z.literal('global'),
  GlobalID: z
    .string()
    .max(200)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a Python module name: letters, digits and _, no digit first'),
  Filename: fileName,
  Description: longText.optional(),
  Tags: tags.optional(),
  ...version,
});

const mapping = z
  .strictObject({
    Name: z.string().min(1).max(200),
    Path: z.string().min(1).max(1000).optional(),
    Method: z.string().min(1).max(200).optional(),
  })
  .refine(
    ({ Path, Method }) => (Path === undefined) !== (Method === undefined),
    'needs exactly one of Path and Method',
  );

export const dataModelSpec = z
  .strictObject({
    AnalysisType: z.literal('datamodel'),
    DataModelID: contentId,
    Enabled: z.boolean(),
    DisplayName: displayName.optional(),
    Description: longText.optional(),
    Filename: fileName.optional(),
    LogTypes: textSet(logType, 100).min(1, 'needs one log type or more'),
    Mappings: z.array(mapping).min(1, 'needs one mapping or more').max(1000),
    ...version,
  })
  .refine(({ Filename, Mappings }) => Filename !== undefined || Mappings.every((item) => item.Method === undefined), {
    path: ['Filename'],
    message: 'is missing: a mapping names a Method',
  });

export const packSpec = z.strictObject({
  AnalysisType: z.literal('pack'),
  PackID: contentId,
  Description: longText.optional(),
  DisplayName: displayName.optional(),
  // Packs in the wild list an id twice; it counts once.
  PackDefinition: z.strictObject({
    IDs: z
      .array(z.string().min(1).max(1000))
      .max(5000)
      .transform((ids) => [...new Set(ids)]),
  }),
});
