import type { Severity } from '../alert.ts';

/** One detection said yes to one event, or failed on it. Texts are final: generated values with their fallbacks. */
export type DetectionMatch = {
  readonly detectionId: string;
  /** `RULE_ERROR`: the detection could not say whether it matches. */
  readonly type: 'RULE' | 'RULE_ERROR';
  readonly displayName: string;
  readonly dedup: string;
  readonly title: string;
  readonly severity: Severity;
  readonly description?: string | undefined;
  readonly reference?: string | undefined;
  readonly runbook?: string | undefined;
  /** Names or ids of destinations; empty or holding "SKIP": send nowhere; absent: the destinations' settings decide. */
  readonly destinations?: readonly string[] | undefined;
  /** JSON text of an object. */
  readonly context?: string | undefined;
  readonly dedupPeriodMinutes: number;
  /** Matches that a window needs before an alert exists, or different values of `unique`. Errors need one. */
  readonly threshold: number;
  /** Given by detections that count different values instead of matches. */
  readonly unique?: string | undefined;
  /** False: the match is stored as a signal and never becomes part of an alert. */
  readonly createsAlert: boolean;
  readonly logType: string;
  readonly rowId: string;
  readonly eventTime: Date;
  readonly receivedAt: Date;
  readonly tags: readonly string[];
  readonly mitre: readonly string[];
  /** Log source the event came from. */
  readonly sourceId?: string | undefined;
};

/** Frozen content of an alert. */
export type AlertSeed = {
  readonly type: 'RULE' | 'RULE_ERROR';
  readonly detectionId: string;
  readonly detectionName: string;
  readonly dedup: string;
  readonly title: string;
  readonly severity: Severity;
  readonly description: string;
  readonly reference: string;
  readonly runbook: string;
  readonly context: string | null;
  readonly destinations: readonly string[] | null;
  readonly tags: readonly string[];
  readonly mitre: readonly string[];
};

const textLengthMax = 1000;
const contextLengthMax = 204_800;
const overridesMax = 10;
const listMax = 100;

/** Postgres stores no NUL and no half of a surrogate pair. */
export function storableText(text: string, lengthMax = textLengthMax): string {
  return text.slice(0, lengthMax).replaceAll('\0', '').toWellFormed();
}

function seedContext(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length <= contextLengthMax) return storableText(text, contextLengthMax);
  return JSON.stringify({
    _error: `The alert context has ${text.length} characters; at most ${contextLengthMax} are kept.`,
  });
}

export function seedOf(match: DetectionMatch): AlertSeed {
  const list = (items: readonly string[]) => items.slice(0, listMax).map((item) => storableText(item));
  return {
    type: match.type,
    detectionId: storableText(match.detectionId),
    detectionName: storableText(match.displayName || match.detectionId),
    dedup: storableText(match.dedup),
    title: storableText(match.title || match.displayName || match.detectionId),
    severity: match.severity,
    description: storableText(match.description ?? ''),
    reference: storableText(match.reference ?? ''),
    runbook: storableText(match.runbook ?? ''),
    context: seedContext(match.context),
    destinations: match.destinations?.slice(0, overridesMax).map((item) => storableText(item)) ?? null,
    tags: list(match.tags),
    mitre: list(match.mitre),
  };
}
