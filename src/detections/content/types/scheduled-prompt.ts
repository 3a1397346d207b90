import { z } from 'zod';
import { displayName, longText, schedule } from './common.ts';

/** A question that is put to the assistant by the clock. */
export const scheduledPromptSpec = z.strictObject({
  AnalysisType: z.literal('scheduled_prompt'),
  PromptName: z
    .string()
    .max(1000)
    .regex(/^[a-z][a-z0-9_]*$/, 'must be lower-case letters, digits and _, a letter first'),
  DisplayName: displayName,
  PromptText: z.string().min(1, 'is empty').max(100_000),
  RunAsUser: z.string().min(1, 'is empty').max(1000),
  Schedule: schedule,
  Description: longText.optional(),
  OutputLength: z.enum(['small', 'medium', 'largest']).optional(),
  Enabled: z.boolean().optional(),
  Private: z.literal(false, { error: 'can only be false' }).optional(),
});
