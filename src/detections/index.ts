export { type ContentService, createContentService, type SaveOutcome } from './by-type/content-service.ts';
export type { ContentType } from './by-type/content-type.ts';
export { contentOperations } from './by-type/type-operations.ts';
export { sweepCache } from './cache/cache-store.ts';
export { checkContent, checkItem, checkPacks, type ItemProblem } from './content/check-content.ts';
export { type FileProblem, loadContentDirectory } from './content/content-directory.ts';
export { type ContentItem, typeName } from './content/content-item.ts';
export { type ContentFilter, parseFilters, passesFilters } from './content/filters.ts';
export { detectionOperations } from './detection-operations.ts';
export { createDetectionReferences, type DetectionReferences } from './detection-references.ts';
export { createDetectionService, type DetectionService } from './detection-service.ts';
export {
  deleteUnusedRevisions,
  type DetectionReference,
  type DetectionVersion,
  forgetEvaluations,
  resultsKey,
  type StoredDetection,
} from './detection-store.ts';
export { createEvaluator, type Evaluator } from './evaluation.ts';
export { buildBundle } from './sandbox/host/bundle.ts';
export type { SandboxPool, UnitTest, UnitTestResult } from './sandbox/sandbox-contract.ts';
export { createIndexMissStore } from './sandbox/index-miss-store.ts';
export { createSandboxPool } from './sandbox/sandbox-pool.ts';
export { createTenantSnapshots } from './sandbox/tenant-snapshots.ts';
export { evaluationContent, sandboxContent } from './sandbox-content.ts';
export { createSavedSearchService, type SavedSearchService } from './saved-searches/saved-search-service.ts';
export type { SavedSearch, SavedSearchVersion } from './saved-searches/saved-search.ts';
export { savedSearchOperations } from './saved-searches/saved-search-operations.ts';
export { findSearchText } from './saved-searches/saved-search-store.ts';
export { pythonOf } from './simple/transpile/transpile-python.ts';
export { createTestingService, type TestingService } from './testing/testing-service.ts';
export { describeExplanation, type ExplainedRule, explainRules } from './testing/explain-rules.ts';
export { findLoadProblems } from './testing/load-problems.ts';
export { hasTests, type ItemOutcome, runTests, type TestOptions } from './testing/run-tests.ts';
export { deleteOldStatistics } from './statistics-store.ts';
export { giveUpUpload, processUpload } from './uploads/apply-upload.ts';
export { createRemovalService, type RemovalService } from './uploads/removal-service.ts';
export { processUploadJob } from './uploads/upload-jobs.ts';
export { uploadOperations } from './uploads/upload-operations.ts';
export { createUploadService, type UploadService } from './uploads/upload-service.ts';
export { createUploadSessionService, type UploadSessionService } from './uploads/upload-session-service.ts';
export { createUploadRetention, takeUpStranded } from './uploads/upload-retention.ts';
export { uploadKey } from './uploads/upload-store.ts';
export { writeZip } from './uploads/zip.ts';
