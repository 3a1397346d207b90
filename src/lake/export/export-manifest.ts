import { z } from 'zod';
import { DomainError } from '#platform/errors';
import type { LakeColumnType, LakeFamily } from '../lake-table.ts';
import type { ExportManifest } from './parquet-export.ts';

const families = ['logs', 'rule_matches', 'rule_errors', 'signals', 'classification_failures'] as const;
const types = ['string', 'bigint', 'int', 'float', 'boolean', 'timestamp', 'object', 'array', 'json'] as const;
families satisfies readonly LakeFamily[];
types satisfies readonly LakeColumnType[];

const column = z.object({
  name: z
    .string()
    .min(1, 'is empty')
    .max(1000)
    .refine((name) => name.toLowerCase() !== 'p_tenant_id', 'is the column that says whose a row is'),
  type: z.enum(types),
  element: z.enum(types).exactOptional(),
});
const manifest = z.object({
  /** Manifests of earlier versions name no tables. */
  tables: z
    .array(
      z.object({
        folder: z.string(),
        family: z.enum(families),
        logType: z.string().max(1000),
        columns: z.array(column),
      }),
    )
    .default([]),
  files: z.array(z.object({ path: z.string(), rows: z.number(), bytes: z.number(), sha256: z.string() })),
});

/** Reads `_manifest.json`, which lies where others write too. Throws DomainError `conflict` saying what is wrong in it. */
export function parseManifest(text: string): ExportManifest {
  const refuse = (what: string): DomainError =>
    new DomainError('conflict', {
      publicMessage: `"_manifest.json" of the export cannot be used: ${what}. Bring it back from where it was copied to, or delete it and export again.`,
    });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw refuse('it is no JSON');
  }
  const read = manifest.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refuse(`${issue?.path.join('.')}: ${issue?.message}`);
}
