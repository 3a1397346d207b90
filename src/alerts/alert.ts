export type AlertSeverity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export type AlertStatus = 'OPEN' | 'TRIAGED' | 'CLOSED' | 'RESOLVED';
/** `RULE`: a detection matched. `RULE_ERROR`: a detection could not say whether it matches. */
export type AlertType = 'RULE' | 'RULE_ERROR';

export type Alert = {
  readonly id: string;
  readonly type: AlertType;
  readonly status: AlertStatus;
  readonly title: string;
  readonly severity: AlertSeverity;
  readonly description: string;
  readonly reference: string;
  readonly runbook: string;
  readonly detectionId: string;
  readonly detectionName: string;
  readonly dedup: string;
  readonly context: unknown;
  readonly logTypes: readonly string[];
  readonly tags: readonly string[];
  readonly eventCount: number;
  readonly firstEventAt: Date;
  readonly lastEventAt: Date;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the first matching event came in; what delivery latency is measured from. */
  readonly receivedAt: Date;
  readonly assigneeId: string | null;
  readonly traceId: string;
};

/** What detections hand over for each match, with everything the alert of a new window needs. */
export type DetectionMatch = {
  readonly detectionId: string;
  readonly type: AlertType;
  readonly displayName: string;
  readonly dedup: string;
  readonly title: string;
  readonly severity: AlertSeverity;
  readonly description: string;
  readonly reference: string;
  readonly runbook: string;
  /** Names or ids of destinations that the detection chose; `['SKIP']` for none; undefined for the usual routing. */
  readonly destinations: readonly string[] | undefined;
  /** JSON text. */
  readonly context: string | undefined;
  readonly dedupPeriodMinutes: number;
  readonly threshold: number;
  /** False: the match is kept as a signal only. */
  readonly createsAlert: boolean;
  readonly logType: string;
  readonly tags: readonly string[];
  readonly eventTime: Date;
};
