import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { zipLimits } from './zip.ts';

/** A third more than the archive, for base64. */
const data = z
  .string()
  .min(1, 'is empty')
  .max(Math.ceil(zipLimits.archiveBytes / 3) * 4, `is more than ${zipLimits.archiveBytes} bytes as an archive`)
  .regex(/^[A-Za-z0-9+/\s]*={0,2}\s*$/, 'is not base64');
const mode = z.enum(['CLASSIC_ZIP', 'V2_ZIP']).default('CLASSIC_ZIP');
const client = { patVersion: z.string().max(100).nullish(), pypantherVersion: z.string().max(100).nullish() };
const receiptId = z.uuid({ error: 'is not the id of an upload' });

export const uploadEntities = defineMutation({
  name: 'uploadDetectionEntities',
  summary: 'Saves the content of a zip archive, all of it or nothing.',
  permission: 'BulkUpload',
  audit: 'BULK_UPLOAD_DETECTIONS',
  input: z.strictObject({ data, mode }),
});
export const uploadEntitiesAsync = defineMutation({
  name: 'uploadDetectionEntitiesAsync',
  summary: 'Takes a zip archive in and saves its content later; the receipt tells what came of it.',
  permission: 'BulkUpload',
  audit: 'BULK_UPLOAD_DETECTIONS',
  input: z.strictObject({ data, mode, dryRun: z.boolean().default(false), ...client }),
});
export const uploadStatus = defineQuery({
  name: 'detectionEntitiesUploadStatus',
  summary: 'Where an upload is, and what came of it.',
  permission: 'BulkUpload',
  input: z.strictObject({ receiptId }),
});
export const validateUpload = defineMutation({
  name: 'validateBulkUpload',
  summary: 'Checks a zip archive without saving anything; the receipt tells what was found.',
  permission: ['BulkUpload', 'BulkUploadValidate'],
  audit: 'VALIDATE_BULK_UPLOAD',
  input: z.strictObject({ data, ...client }),
});
export const validateUploadStatus = defineQuery({
  name: 'validateBulkUploadStatus',
  summary: 'What a validation found.',
  permission: ['BulkUpload', 'BulkUploadValidate'],
  input: z.strictObject({ receiptId }),
});
export const uploadAddress = defineQuery({
  name: 'bulkUploadPresignedUrl',
  summary: 'An address to put an archive at, once and within minutes, before `bulkUploadDetections`.',
  permission: 'BulkUpload',
  input: z.strictObject({ pypantherVersion: z.string().max(100) }),
});
export const startUpload = defineMutation({
  name: 'bulkUploadDetections',
  summary: 'Saves the content of an archive that was put at its address, or says what would change.',
  permission: 'BulkUpload',
  audit: 'BULK_UPLOAD_DETECTIONS',
  input: z.strictObject({
    sessionId: z.uuid({ error: 'is not the id of an upload session' }),
    dryRun: z.boolean().nullish(),
  }),
});
export const startedUploadStatus = defineQuery({
  name: 'bulkUploadDetectionsStatus',
  summary: 'Where an upload from an address is, and what came of it.',
  permission: 'BulkUpload',
  input: z.strictObject({ jobId: z.uuid({ error: 'is not the id of an upload' }) }),
});
const ids = z.array(z.string().min(1).max(1000)).max(100, 'names more than 100 ids');
export const deleteDetections = defineMutation({
  name: 'deleteDetections',
  summary: 'Deletes detections; ids that do not exist are left out of the answer.',
  permission: ['RuleModify', 'PolicyModify', 'BulkUpload'],
  audit: 'DELETE_DETECTION',
  input: z.strictObject({ ids, dryRun: z.boolean().nullish(), includeSavedQueries: z.boolean().nullish() }),
});
export const deleteSavedQueriesByName = defineMutation({
  name: 'deleteSavedQueriesByName',
  summary: 'Deletes saved and scheduled queries by their names.',
  permission: ['DataAnalyticsModify', 'BulkUpload'],
  audit: 'DELETE_SAVED_QUERY',
  input: z.strictObject({ names: ids, dryRun: z.boolean().nullish(), includeDetections: z.boolean().nullish() }),
});
export const featureFlags = defineQuery({
  name: 'featureFlags',
  summary: 'Whether this deployment has what a client asks for.',
  permission: 'signed-in',
  input: z.strictObject({
    flags: z.array(z.strictObject({ flag: z.string().max(200), defaultTreatment: z.boolean().nullish() })).max(100),
  }),
});

export const uploadOperations = [
  uploadEntities,
  uploadEntitiesAsync,
  uploadStatus,
  validateUpload,
  validateUploadStatus,
  uploadAddress,
  startUpload,
  startedUploadStatus,
  deleteDetections,
  deleteSavedQueriesByName,
  featureFlags,
];
