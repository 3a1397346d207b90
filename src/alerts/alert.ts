export type Severity = 'INFO' | 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';
export const severities: readonly Severity[] = ['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

/** `CLOSED` is shown as "Invalid": noise, or generated in error. Any status may follow any other. */
export type AlertStatus = 'OPEN' | 'TRIAGED' | 'RESOLVED' | 'CLOSED';
export const alertStatuses: readonly AlertStatus[] = ['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED'];

export type AlertType = 'RULE' | 'RULE_ERROR' | 'SCHEDULED_RULE' | 'SCHEDULED_RULE_ERROR' | 'POLICY' | 'SYSTEM_ERROR';
export const alertTypes: readonly AlertType[] = [
  'RULE',
  'RULE_ERROR',
  'SCHEDULED_RULE',
  'SCHEDULED_RULE_ERROR',
  'POLICY',
  'SYSTEM_ERROR',
];

/** Tabs of the alert list and the types each shows. */
export const typesByListing = {
  ALERT: ['POLICY', 'RULE', 'SCHEDULED_RULE'],
  DETECTION_ERROR: ['RULE_ERROR', 'SCHEDULED_RULE_ERROR'],
  SYSTEM_ERROR: ['SYSTEM_ERROR'],
} as const satisfies Readonly<Record<string, readonly AlertType[]>>;

export type AlertListing = keyof typeof typesByListing;

/** What a person thought of an alert. */
export type AlertQuality = 'NOISE' | 'USEFUL';

/** Hexadecimal, 32 digits. */
export type AlertId = string;

/** Who changed something; the name is what it was then. */
export type AuthorReference = {
  readonly kind: 'user' | 'token' | 'system';
  readonly id: string;
  readonly name: string;
};

/** What raised an alert. */
export type AlertOrigin =
  | { readonly kind: 'detection'; readonly id: string; readonly name: string }
  | { readonly kind: 'system-error'; readonly type: string };

/** Content is frozen at creation; only counts, times, status, assignee and comments change. */
export type Alert = {
  readonly id: AlertId;
  readonly type: AlertType;
  readonly status: AlertStatus;
  readonly severity: Severity;
  readonly title: string;
  readonly description: string;
  readonly reference: string;
  readonly runbook: string;
  readonly origin: AlertOrigin;
  readonly dedup: string;
  readonly tags: readonly string[];
  readonly mitre: readonly string[];
  readonly logTypes: readonly string[];
  readonly logSources: readonly string[];
  readonly eventCount: number;
  /** Event times, as the events say. Null for alerts without events. */
  readonly firstEventAt: Date | null;
  readonly lastEventAt: Date | null;
  /** When the first and the last event reached the product. */
  readonly firstReceivedAt: Date;
  readonly lastReceivedAt: Date;
  readonly createdAt: Date;
  readonly assigneeId: string | null;
  readonly updatedAt: Date | null;
  readonly updatedBy: AuthorReference | null;
  readonly quality: AlertQuality | null;
  /** At most 10, each one of the tenant's tags. */
  readonly contextTags: readonly string[];
  readonly traceId: string;
};

/** An alert of severity INFO needs nobody's attention and starts resolved. */
export function initialStatus(severity: Severity): AlertStatus {
  return severity === 'INFO' ? 'RESOLVED' : 'OPEN';
}

export type CommentFormat = 'PLAIN_TEXT' | 'HTML';

/** HTML bodies are as they were written: whoever shows one makes it safe first. */
export type AlertComment = {
  readonly id: string;
  readonly alertId: AlertId;
  readonly body: string;
  readonly format: CommentFormat;
  readonly createdAt: Date;
  readonly createdBy: AuthorReference;
  /** Null when it is as it was written. */
  readonly updatedAt: Date | null;
  readonly updatedBy: AuthorReference | null;
};
