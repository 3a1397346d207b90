import { z } from 'zod';

/** Match expressions of detections without Python, and the filters in front of rules. Meaning: `simple/`. */

const scalar = z.union([z.string().max(10_000), z.number(), z.boolean()]);
export type ExpressionScalar = z.output<typeof scalar>;
const step = z.union([z.string().max(1000), z.number().int()]);

export type KeySpecifier = {
  readonly Key?: string | undefined;
  readonly DeepKey?: readonly (string | number)[] | undefined;
  readonly KeyPath?: string | undefined;
};

/** One expression as it stands in the YAML; which form it is, is decided when it is compiled. */
export type MatchExpression = KeySpecifier & {
  readonly Condition?: string | undefined;
  readonly Value?: ExpressionScalar | undefined;
  readonly Values?: readonly (ExpressionScalar | KeySpecifier)[] | undefined;
  readonly Enrichment?: { readonly Table: string; readonly Selector: string; readonly FieldPath: string } | undefined;
  readonly Expressions?: readonly MatchExpression[] | undefined;
  readonly All?: readonly MatchExpression[] | undefined;
  readonly Any?: readonly MatchExpression[] | undefined;
  readonly OnlyOne?: readonly MatchExpression[] | undefined;
  readonly None?: readonly MatchExpression[] | undefined;
};

const specifierKeys = {
  Key: z.string().min(1).max(1000).optional(),
  DeepKey: z.array(step).min(1).max(50).optional(),
  KeyPath: z.string().min(1).max(1000).optional(),
};
const isOneKey = (value: KeySpecifier) =>
  [value.Key, value.DeepKey, value.KeyPath].filter((part) => part !== undefined).length === 1;

export const keySpecifier = z
  .strictObject(specifierKeys)
  .refine(isOneKey, 'needs exactly one of Key, DeepKey, KeyPath');

const matchExpression: z.ZodType<MatchExpression> = z.lazy(() => {
  const nested = z.array(matchExpression).max(500);
  return z.strictObject({
    ...specifierKeys,
    Condition: z.string().min(1).max(100).optional(),
    Value: scalar.optional(),
    Values: z
      .array(z.union([scalar, z.strictObject(specifierKeys)]))
      .max(10_000)
      .optional(),
    Enrichment: z
      .strictObject({ Table: z.string().max(1000), Selector: z.string().max(1000), FieldPath: z.string().max(1000) })
      .optional(),
    Expressions: nested.optional(),
    All: nested.optional(),
    Any: nested.optional(),
    OnlyOne: nested.optional(),
    None: nested.optional(),
  });
});

export const matchExpressions = z.array(matchExpression).max(500);

export const contextEntry = z.strictObject({ KeyName: z.string().min(1).max(1000), KeyValue: keySpecifier });
