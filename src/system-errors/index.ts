export {
  type RelatedComponent,
  relatedComponentOf,
  systemErrorTypeOf,
  type SystemError,
  type SystemErrorType,
} from './system-error.ts';
export { systemErrorRaisedJob } from './system-error-jobs.ts';
export { systemErrorOperations } from './system-error-operations.ts';
export {
  createSystemErrorRecorder,
  createSystemErrorService,
  type SystemErrorPage,
  type SystemErrorRecorder,
  type SystemErrorService,
} from './system-error-service.ts';
export { listOpenErrors } from './system-error-store.ts';
