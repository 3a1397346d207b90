import { parse as parseYaml } from 'yaml';
import { z } from 'zod';

/** The schema language as written by people (YAML), checked for form. Meaning is checked by `compileSchema`. */

export type IndicatorName =
  | 'actor_id'
  | 'aws_account_id'
  | 'aws_arn'
  | 'aws_arn_only'
  | 'aws_instance_id'
  | 'aws_tag'
  | 'domain'
  | 'email'
  | 'hostname'
  | 'ip'
  | 'mac'
  | 'md5'
  | 'sha1'
  | 'sha256'
  | 'net_addr'
  | 'serial_number'
  | 'trace_id'
  | 'url'
  | 'username';

const indicatorNames = [
  'actor_id',
  'aws_account_id',
  'aws_arn',
  'aws_arn_only',
  'aws_instance_id',
  'aws_tag',
  'domain',
  'email',
  'hostname',
  'ip',
  'mac',
  'md5',
  'sha1',
  'sha256',
  'net_addr',
  'serial_number',
  'trace_id',
  'url',
  'username',
] as const satisfies readonly IndicatorName[];

const family = z.enum(['ipv4', 'ipv6', 'any']);
const texts = z.array(z.string().max(1000)).max(1000);

const validation = z.strictObject({
  allow: texts.optional(),
  deny: texts.optional(),
  ip: family.optional(),
  cidr: family.optional(),
});

const types = [
  'string',
  'int',
  'smallint',
  'bigint',
  'float',
  'boolean',
  'timestamp',
  'array',
  'object',
  'json',
  'ref',
] as const;

export type ValueSpec = {
  readonly type: (typeof types)[number];
  readonly indicators?: readonly IndicatorName[] | undefined;
  readonly validate?: z.output<typeof validation> | undefined;
  readonly timeFormats?: readonly string[] | undefined;
  readonly timeFormat?: string | undefined;
  readonly isEventTime?: boolean | undefined;
  readonly isExpiration?: boolean | undefined;
  readonly isEmbeddedJSON?: boolean | undefined;
  readonly element?: ValueSpec | undefined;
  readonly fields?: readonly FieldSpec[] | undefined;
  readonly target?: string | undefined;
};

export type FieldSpec = ValueSpec & {
  readonly name: string;
  readonly required?: boolean | undefined;
  readonly description?: string | undefined;
  readonly rename?: { readonly from: string } | undefined;
  readonly copy?: { readonly from: string } | undefined;
  readonly concat?: { readonly paths: readonly string[]; readonly separator?: string | undefined } | undefined;
  readonly split?: { readonly from: string; readonly separator: string; readonly index: number } | undefined;
  readonly mask?:
    | { readonly type: 'hash' | 'redact'; readonly salt?: string | undefined; readonly to?: string | undefined }
    | undefined;
};

const value: z.ZodType<ValueSpec> = z.lazy(() => z.strictObject(valueShape));
const path = z.string().min(1).max(500);

const valueShape = {
  type: z.enum(types, { error: `must be one of ${types.join(', ')}` }),
  indicators: z
    .array(z.enum(indicatorNames, { error: `must be one of ${indicatorNames.join(', ')}` }))
    .max(20)
    .optional(),
  validate: validation.optional(),
  timeFormats: z.array(z.string().min(1).max(200)).min(1).max(20).optional(),
  timeFormat: z.string().min(1).max(200).optional(),
  isEventTime: z.boolean().optional(),
  isExpiration: z.boolean().optional(),
  isEmbeddedJSON: z.boolean().optional(),
  element: value.optional(),
  fields: z
    .array(z.lazy(() => field))
    .min(1, 'needs one field or more')
    .max(2000)
    .optional(),
  target: z.string().max(200).optional(),
};

const field: z.ZodType<FieldSpec> = z.strictObject({
  ...valueShape,
  name: z.string().min(1, 'is empty').max(255),
  required: z.boolean().optional(),
  description: z.string().max(10_000).optional(),
  rename: z.strictObject({ from: path }).optional(),
  copy: z.strictObject({ from: path }).optional(),
  concat: z.strictObject({ paths: z.array(path).min(1).max(50), separator: z.string().max(100).optional() }).optional(),
  split: z
    .strictObject({
      from: path,
      separator: z.string().length(1, 'must be one character'),
      index: z.number().int().min(0).max(10_000),
    })
    .optional(),
  mask: z
    .strictObject({
      type: z.enum(['hash', 'redact']),
      salt: z.string().max(1000).optional(),
      to: z.string().max(1000).optional(),
    })
    .optional(),
});

const common = {
  skipPrefix: z.string().min(1).optional(),
  trimSpace: z.boolean().optional(),
  emptyValues: texts.optional(),
  expandFields: z.record(z.string().max(255), z.string().max(1000)).optional(),
  skipLines: z.number().int().min(0).max(1000).optional(),
};
const pattern = z.string().min(1).max(10_000);

const csv = z.strictObject({
  ...common,
  delimiter: z.string().min(1).optional(),
  hasHeader: z.boolean().optional(),
  columns: z.array(z.string().max(255)).max(2000).optional(),
});
const fastmatch = z.strictObject({ ...common, match: z.array(z.string().min(4).max(10_000)).min(1).max(100) });
const regex = z.strictObject({
  ...common,
  match: z.array(pattern).min(1).max(100),
  patternDefinitions: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), pattern).optional(),
});

const parser = z
  .strictObject({
    csv: csv.optional(),
    fastmatch: fastmatch.optional(),
    regex: regex.optional(),
    script: z.unknown().optional(),
    native: z.strictObject({ name: z.string().max(100) }).optional(),
  })
  .refine(
    (given) => Object.values(given).filter((item) => item !== undefined).length === 1,
    'needs exactly one of csv, fastmatch, regex, script, native',
  )
  .refine(
    (given) => given.script === undefined,
    'script: Starlark parsers are not available yet; use csv, fastmatch or regex',
  );

const schemaSpec = z.strictObject({
  schema: z
    .string()
    .min(3)
    .max(255)
    .regex(
      /^[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*$/,
      'must be names that begin with a capital letter, joined by dots',
    ),
  version: z.literal(0).optional(),
  description: z.string().max(10_000).optional(),
  referenceURL: z.string().max(2000).optional(),
  fieldDiscoveryEnabled: z.boolean().optional(),
  parser: parser.optional(),
  definitions: z.record(z.string().regex(/^[A-Z][A-Za-z0-9]*$/, 'must begin with a capital letter'), value).optional(),
  fields: z.array(field).min(1, 'needs one field or more').max(2000),
});

export type SchemaSpec = z.output<typeof schemaSpec>;
export type CsvSpec = z.output<typeof csv>;
export type FastmatchSpec = z.output<typeof fastmatch>;
export type RegexSpec = z.output<typeof regex>;
export type TextParserOptions = Pick<
  CsvSpec,
  'skipPrefix' | 'trimSpace' | 'emptyValues' | 'expandFields' | 'skipLines'
>;

/** What is wrong with a schema: where (dotted path) and what to do. */
export type SchemaProblem = { readonly path: string; readonly message: string };

const schemaBytesMax = 1_000_000;

/** Parses YAML text into a spec. Aliases are limited, so a small text cannot unfold into a large one. */
export function readSchemaSpec(
  text: string,
): { readonly spec: SchemaSpec } | { readonly problems: readonly SchemaProblem[] } {
  if (text.length > schemaBytesMax)
    return { problems: [{ path: '', message: `A schema has at most ${schemaBytesMax} characters.` }] };
  let data: unknown;
  try {
    data = parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    return {
      problems: [
        { path: '', message: `This is not YAML: ${error instanceof Error ? error.message : 'it cannot be read'}` },
      ],
    };
  }
  const result = schemaSpec.safeParse(data);
  if (result.success) return { spec: result.data };
  return {
    problems: result.error.issues
      .slice(0, 20)
      .map((issue) => ({ path: issue.path.map(String).join('.'), message: issue.message })),
  };
}
