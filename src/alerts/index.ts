export type { Alert, AlertSeverity, DetectionMatch } from './alert.ts';
export { deliverAlertJob } from './alert-jobs.ts';
export { alertOperations } from './alert-operations.ts';
export { type AlertPage, type AlertService, createAlertService } from './alert-service.ts';
export type { AlertComment } from './alert-store.ts';
export { applyMatches } from './apply-matches.ts';
export type { Delivery } from './delivery/delivery.ts';
export { createDeliveryService, type DeliveryService } from './delivery/delivery-service.ts';
export {
  createDestinationService,
  destinationOperations,
  type DestinationService,
} from './destinations/destination-service.ts';
export type { Destination } from './destinations/destination-store.ts';
