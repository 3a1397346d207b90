import type { Alert, AlertComment, AlertOrigin, Delivery, DeliveryAttempt, Destination, TestResult } from '#alerts';
import type { AuditEvent } from '#audit';
import type {
  DetectionReference,
  DetectionService,
  DetectionVersion,
  SavedSearch,
  SavedSearchVersion,
  StoredDetection,
  UnitTestResult,
} from '#detections';
import type { ApiToken, Role, User } from '#identity';
import type { Batch, HttpSource, LogSchema } from '#ingestion';
import type { CatalogueDatabase, CatalogueTable, LakeQuery } from '#search';
import type { SystemError } from '#system-errors';

/** What stands for each GraphQL type on the way from the resolver that finds it to those of its fields. */

export type AlertParent = Alert;
export type AttemptParent = DeliveryAttempt;
export type AuditEventParent = AuditEvent;
export type BatchParent = Batch;
export type CommentParent = AlertComment;
export type DeliveryParent = Delivery;
export type DestinationParent = Destination;
export type LakeDatabaseParent = CatalogueDatabase;
export type LakeQueryParent = LakeQuery;
export type LakeTableParent = CatalogueTable;
export type ContentParent = StoredDetection;
export type SavedSearchParent = SavedSearch;
export type SavedSearchVersionParent = SavedSearchVersion;
export type VersionParent = DetectionVersion;
export type StatisticsParent = Awaited<ReturnType<DetectionService['statistics']>>[number];
/** The detection as the alert names it, and what is stored of it today. */
export type DetectionParent = DetectionReference & { readonly name: string };
export type TestResultParent = UnitTestResult;
export type SourceParent = HttpSource;
export type RoleParent = Role;
export type SchemaParent = LogSchema;
export type SystemErrorParent = Extract<AlertOrigin, { readonly kind: 'system-error' }>;
export type SystemErrorEntryParent = SystemError;
export type TestAlertParent = TestResult;
/** Only the answer that makes a token has its value. */
export type TokenParent = ApiToken & { readonly value?: string };
/** Somebody who is gone still has a name where they did something. */
export type UserParent = User & { readonly isGone?: boolean };
