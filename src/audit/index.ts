export type { AuditEvent, AuditResult } from './audit-event.ts';
export { type AuditRecorder, createAuditRecorder } from './audit-recorder.ts';
export { type AuditPage, type AuditService, auditOperations, createAuditService } from './audit-service.ts';
export { createOperatorAudit, type Operator, type OperatorAudit } from './operator-events.ts';
