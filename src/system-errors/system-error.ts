export type SystemErrorType =
  | 'ALERT_DELIVERY'
  | 'DETECTION_ALERT_LIMIT_EXCEEDED'
  | 'DETECTION_INDEX_MISMATCH'
  | 'SOURCE_CLASSIFICATION_FAILURES'
  | 'SOURCE_LOG_PROCESSING_ERRORS'
  | 'SOURCE_NO_DATA'
  | 'SOURCE_PERMISSIONS_CHECKS'
  | 'SOURCE_SCANNING_ERRORS';

export type RelatedComponent = 'DESTINATION' | 'DETECTION' | 'LOG_SOURCE' | 'CLOUD_ACCOUNT';

/** Part of the product that each kind of trouble is about. */
const relatedComponents: Readonly<Record<SystemErrorType, RelatedComponent>> = {
  ALERT_DELIVERY: 'DESTINATION',
  DETECTION_ALERT_LIMIT_EXCEEDED: 'DETECTION',
  DETECTION_INDEX_MISMATCH: 'DETECTION',
  SOURCE_CLASSIFICATION_FAILURES: 'LOG_SOURCE',
  SOURCE_LOG_PROCESSING_ERRORS: 'LOG_SOURCE',
  SOURCE_NO_DATA: 'LOG_SOURCE',
  SOURCE_PERMISSIONS_CHECKS: 'LOG_SOURCE',
  SOURCE_SCANNING_ERRORS: 'CLOUD_ACCOUNT',
};

/** Trouble of the product itself, as one tenant sees it. One open entry per type and subject. */
export type SystemError = {
  readonly id: string;
  readonly type: SystemErrorType;
  /** Id and name of the destination, source or detection concerned. */
  readonly subjectId: string;
  readonly subjectName: string;
  /** What happened the last time. */
  readonly message: string;
  readonly occurrences: number;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly resolvedAt: Date | null;
  readonly traceId: string;
};

/** The kind as this version knows it; one of another version counts as trouble with processing. */
export function systemErrorTypeOf(type: string): SystemErrorType {
  const known = Object.keys(relatedComponents) as SystemErrorType[];
  return known.find((name) => name === type) ?? 'SOURCE_LOG_PROCESSING_ERRORS';
}

/** Part of the product that a kind of trouble is about; null for a kind this version does not know. */
export function relatedComponentOf(type: string): RelatedComponent | null {
  return new Map<string, RelatedComponent>(Object.entries(relatedComponents)).get(type) ?? null;
}
