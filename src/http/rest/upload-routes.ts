import { z } from 'zod';
import { uploadOperations, type UploadService } from '#detections';
import { defineRoute, operationIn } from './route.ts';
import { timestamp } from './shapes.ts';

const operation = operationIn(uploadOperations);

/** A check box, as forms send it. */
const flag = z.enum(['true', 'false'], { error: 'is neither "true" nor "false"' }).default('false');
const form = z.object({
  file: z
    .custom<Buffer>((value) => Buffer.isBuffer(value) && value.length > 0, {
      error: 'is not a file with an archive in it',
    })
    .meta({ type: 'string', contentMediaType: 'application/zip', description: 'The zip archive.' }),
  dryRun: flag.meta({ description: 'Only say what would change.' }),
});

const statistics = z.object({
  new: z.int(),
  newIds: z.array(z.string()),
  modified: z.int(),
  modifiedIds: z.array(z.string()),
  deleted: z.int(),
  deletedIds: z.array(z.string()),
  total: z.int(),
  totalIds: z.array(z.string()),
});
const upload = z.object({
  id: z.uuid(),
  status: z.enum(['NOT_PROCESSED', 'COMPLETED', 'FAILED']),
  error: z.string().nullable().meta({ description: 'A text, or JSON with the problem of each file.' }),
  result: z.record(z.string(), statistics).nullable().meta({ description: 'Counts by group of content.' }),
  createdAt: timestamp,
  updatedAt: timestamp,
});

const uploadBody = (found: Awaited<ReturnType<UploadService['status']>>): z.input<typeof upload> => ({
  id: found.id,
  status: found.status,
  error: found.error,
  result: found.result === null ? null : z.record(z.string(), statistics).parse(found.result),
  createdAt: found.createdAt.toISOString(),
  updatedAt: found.updatedAt.toISOString(),
});

/** Whole archives of content as a form: for tools that send files and know no GraphQL. */
export const uploadRoutes = [
  defineRoute({
    id: 'upload#create',
    method: 'POST',
    path: '/uploads',
    summary: 'Takes a zip archive of content in; a worker saves all of it or nothing.',
    operation: operation('uploadDetectionEntitiesAsync'),
    body: form,
    isForm: true,
    answers: { 202: z.object({ id: z.uuid() }) },
    errors: [400, 409],
    async handle({ body }, { actor, services }) {
      const { receiptId } = await services.uploads.uploadArchive(actor, body.file, {
        isDryRun: body.dryRun === 'true',
      });
      return { status: 202, body: { id: receiptId } };
    },
  }),
  defineRoute({
    id: 'upload#get',
    method: 'GET',
    path: '/uploads/{id}',
    summary: 'Where an upload is, and what came of it.',
    operation: operation('detectionEntitiesUploadStatus'),
    answers: { 200: upload },
    errors: [404],
    handle: async ({ params }, { actor, services }) => ({
      status: 200,
      body: uploadBody(await services.uploads.status(actor, { receiptId: params['id'] })),
    }),
  }),
];
