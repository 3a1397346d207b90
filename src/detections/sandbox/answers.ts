import { z } from 'zod';
import { cacheChange, cacheChangesMax, cacheKeyLengthMax } from '../cache/cache-item.ts';
import { SandboxFailure } from './sandbox-process.ts';

/** What a guest answers is data of an untrusted tenant: shapes and bounds are checked, anything else kills the sandbox. */

const shortText = z.string().max(8000);
const severity = z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);
const count = z.number().int().min(0);

const failure = z.object({ failure: shortText, exception: shortText.optional() });

const match = z.object({
  record: count,
  rule: count,
  title: z.string().max(1000),
  dedup: z.string().max(1000),
  severity,
  description: z.string().max(1000).optional(),
  reference: z.string().max(1000).optional(),
  runbook: z.string().max(1000).optional(),
  destinations: z.array(shortText).max(10).optional(),
  alertContext: z.string().max(300_000).optional(),
  unique: z.string().max(1000).optional(),
});

const ruleError = z.object({
  record: count,
  rule: count,
  kind: z.enum(['exception', 'return_type', 'memory']),
  exception: shortText,
  message: shortText,
  traceback: shortText,
});

const loadAnswer = z.object({
  errors: z
    .array(z.object({ id: shortText, exception: shortText, message: shortText, traceback: shortText }))
    .max(20_000),
});

const evaluateAnswer = z.object({
  matches: z.array(match).max(1_000_000),
  errors: z.array(ruleError).max(100_000),
  statistics: z.array(z.tuple([count, count, count, count, count])).max(20_000),
  cache: z.array(cacheChange).max(cacheChangesMax),
  /** How many events were shown to 0, 1, 2 … rules; absent in samples and without an index. */
  rulesPerEvent: z.array(count).max(20_000).optional(),
  /** Records and rules that the index had left out although the rule had something to say. */
  missed: z
    .array(z.tuple([count, count]))
    .max(10_000)
    .optional(),
});

const prepareAnswer = z.object({
  rules: count,
  alwaysRun: z.array(count).max(20_000),
  /** Why there is no index, and every rule runs. */
  failure: shortText.optional(),
});

const explainAnswer = z.object({
  rules: z.array(z.object({ witness: shortText.nullable(), reasons: z.array(shortText).max(20) })).max(20_000),
});

const described = z.object({ exception: shortText, message: shortText, traceback: shortText.optional() });

const testAnswer = z.object({
  results: z
    .array(
      z.object({
        name: z.string().max(10_000),
        passed: z.boolean(),
        error: described.nullable(),
        output: z.boolean().nullable(),
        functions: z.record(
          z.string().max(50),
          z.object({ output: z.string().max(300_000).optional(), error: described.optional() }),
        ),
        printed: z.string().max(20_000).optional(),
      }),
    )
    .max(10_000),
});

export type EvaluateAnswer = z.output<typeof evaluateAnswer>;

function parse<Schema extends z.ZodType>(schema: Schema, bytes: Buffer): z.output<Schema> {
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new SandboxFailure('protocol', 'The interpreter answered with something that is not JSON.', undefined);
  }
  const failed = failure.safeParse(data);
  if (failed.success) throw new SandboxFailure('crash', failed.data.failure, undefined);
  const result = schema.safeParse(data);
  if (!result.success) throw new SandboxFailure('protocol', 'The interpreter answered out of form.', undefined);
  return result.data;
}

const cacheQuestion = z.object({ keys: z.array(z.string().max(cacheKeyLengthMax)).max(100) });

/** Keys that a guest asks for; undefined when it asks out of form. */
export function parseQuestion(bytes: Buffer): readonly string[] | undefined {
  try {
    return cacheQuestion.parse(JSON.parse(bytes.toString('utf8'))).keys;
  } catch {
    return undefined;
  }
}

export const parseLoad = (bytes: Buffer) => parse(loadAnswer, bytes);
export const parseEvaluate = (bytes: Buffer) => parse(evaluateAnswer, bytes);
export const parsePrepare = (bytes: Buffer) => parse(prepareAnswer, bytes);
export const parseExplain = (bytes: Buffer) => parse(explainAnswer, bytes);
export const parseTest = (bytes: Buffer) => parse(testAnswer, bytes);
