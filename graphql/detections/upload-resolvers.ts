import type { RootResolver } from '../context.ts';

type Input = { readonly input: unknown };

const detectionEntitiesUploadStatus: RootResolver<{ receiptId: string }> = (
  _root,
  { receiptId },
  { actor, services },
) => services.uploads.status(actor, { receiptId });

const validateBulkUploadStatus: RootResolver<{ receiptId: string }> = (_root, { receiptId }, { actor, services }) =>
  services.uploads.validationStatus(actor, { receiptId });

const bulkUploadPresignedUrl: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.uploadSessions.address(actor, input);

const bulkUploadDetectionsStatus: RootResolver<{ jobId: string }> = (_root, { jobId }, { actor, services }) =>
  services.uploadSessions.status(actor, { jobId });

const bulkUploadDetections: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.uploadSessions.start(actor, input);

const featureFlags: RootResolver<Input> = (_root, { input }, { actor, services }) => ({
  flags: services.uploads.featureFlags(actor, input),
});

const uploadDetectionEntities: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.uploads.upload(actor, input);

const uploadDetectionEntitiesAsync: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.uploads.uploadAsync(actor, input);

const validateBulkUpload: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.uploads.validate(actor, input);

const deleteDetections: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.removals.deleteDetections(actor, input);

const deleteSavedQueriesByName: RootResolver<Input> = (_root, { input }, { actor, services }) =>
  services.removals.deleteSavedQueries(actor, input);

export const uploadResolvers = {
  Query: {
    detectionEntitiesUploadStatus,
    validateBulkUploadStatus,
    bulkUploadPresignedUrl,
    bulkUploadDetectionsStatus,
    featureFlags,
  },
  Mutation: {
    uploadDetectionEntities,
    uploadDetectionEntitiesAsync,
    validateBulkUpload,
    bulkUploadDetections,
    deleteDetections,
    deleteSavedQueriesByName,
  },
};
