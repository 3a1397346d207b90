import { z } from 'zod';

/** Rises when a set is laid out in another way; a newer one is refused. */
export const setFormat = 1;

const fileEntry = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });
const column = z.object({ name: z.string(), type: z.string() });
const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/);

/** What a backup set says of itself. */
export const manifestSchema = z.object({
  product: z.literal('margay'),
  format: z.literal(setFormat),
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** Schema of the database at the moment of the backup. */
  migrations: z.array(z.object({ name: z.string(), sha256: z.string() })),
  tables: z.array(z.object({ name: z.string(), columns: z.array(column), rows: z.number().int(), file: fileName })),
  sequences: z.array(z.object({ table: z.string(), column: z.string(), value: z.string().nullable() })),
  /** Jobs that were on the queues and came through the outbox. */
  jobs: fileName,
  lake: z.array(z.object({ database: z.string(), table: z.string(), create: z.string(), files: z.array(fileName) })),
  objects: z.object({ count: z.number().int(), bytes: z.number().int(), index: fileName }),
  keys: z.object({
    /** Names the master key without telling anything about it. */
    masterKeyId: z.string(),
    /** Where the master keys are; null when they came from the environment and are kept elsewhere. */
    file: fileName.nullable(),
    isSealed: z.boolean(),
  }),
  /** Every file of the set but the manifest and the objects, which the index lists. */
  files: z.record(fileName, fileEntry),
});

export type Manifest = z.output<typeof manifestSchema>;
export type FileEntry = z.output<typeof fileEntry>;

/** One line of the index of objects. */
export const objectLine = fileEntry.extend({ key: z.string().regex(/^tenants\/[A-Za-z0-9][A-Za-z0-9._/-]*$/) });

export const keysSchema = z.object({ masterKey: z.string(), previousMasterKeys: z.array(z.string()) });
