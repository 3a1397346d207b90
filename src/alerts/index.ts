export type {
  Alert,
  AlertComment,
  AlertId,
  AlertListing,
  AlertOrigin,
  AlertQuality,
  AlertStatus,
  AlertType,
  AuthorReference,
  CommentFormat,
  Severity,
} from './alert.ts';
export { type AlertIntake, createAlertIntake, type MatchesOfBatch } from './alert-intake.ts';
export { deliverAlertJob } from './alert-jobs.ts';
export { type AlertMetricsService, createAlertMetrics, metrics } from './metrics/alert-metrics.ts';
export { alertOperations, updateAlerts } from './alert-operations.ts';
export { type AlertPage, type AlertService, type Assignees, createAlertService } from './alert-service.ts';
export { alertComment, alertComments, updateAlertComment } from './comments/comment-operations.ts';
export { type CommentService, createCommentService } from './comments/comment-service.ts';
export {
  alertContextTags,
  contextTag,
  createAlertContextTag,
  deleteAlertContextTag,
  renameAlertContextTag,
} from './context-tags/context-tag-operations.ts';
export { type ContextTagService, createContextTagService } from './context-tags/context-tag-service.ts';
export type { DetectionMatch } from './dedup/detection-match.ts';
export { createDeliverer, type Deliverer, type DeliveryObserver } from './delivery/deliverer.ts';
export type { Delivery, DeliveryAttempt, DeliveryState } from './delivery/delivery.ts';
export { type DeliverySweeper, startDeliverySweeper } from './delivery/delivery-sweeper.ts';
export type { Destination } from './destinations/destination.ts';
export { destinationOperations } from './destinations/destination-operations.ts';
export {
  createDestinationService,
  type DestinationService,
  type TestResult,
} from './destinations/destination-service.ts';
export { createWebhookSender, type WebhookSender } from './destinations/webhook/webhook-sender.ts';
export { createSystemErrorAlerts, raiseMissed, type SystemErrorAlerts } from './system-error-alerts.ts';
export { deleteOldAttempts } from './delivery/delivery-log-retention-store.ts';
