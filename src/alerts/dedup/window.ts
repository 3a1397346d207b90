import { hashId } from '#platform/ids';
import type { DetectionMatch } from '../alert.ts';

/** Matches of one detection and dedup string since the window opened. */
export type AlertWindow = {
  readonly openedAt: Date;
  readonly endsAt: Date;
  readonly matchCount: number;
  readonly firstEventAt: Date;
  readonly lastEventAt: Date;
  /** Set once the threshold was reached. */
  readonly alertId: string | null;
};

export type WindowChange = {
  readonly window: AlertWindow;
  /** Id under which the matches are filed; the alert with this id exists from the threshold on. */
  readonly alertId: string;
  /** True when these matches make the window's alert. */
  readonly isNew: boolean;
};

/** The same window gives the same id, so a repeated transaction cannot make a second alert. */
function alertIdOf(
  tenantId: string,
  match: Pick<DetectionMatch, 'detectionId' | 'type' | 'dedup'>,
  openedAt: Date,
): string {
  return hashId(tenantId, match.detectionId, match.type, match.dedup, openedAt.toISOString());
}

/**
 * Adds the matches of one evaluation to their window, or opens a new one. The window is counted from its first match,
 * by processing time: a steady stream cannot keep one alert open forever. `matches` are of one key, in event order.
 */
export function addToWindow(
  tenantId: string,
  before: AlertWindow | undefined,
  matches: readonly [DetectionMatch, ...DetectionMatch[]],
  evaluatedAt: Date,
): WindowChange {
  const [first] = matches;
  const isOpen = before !== undefined && evaluatedAt < before.endsAt;
  const times = matches.map((match) => match.eventTime.getTime());
  const openedAt = isOpen ? before.openedAt : evaluatedAt;
  const matchCount = (isOpen ? before.matchCount : 0) + matches.length;
  const alertId = alertIdOf(tenantId, first, openedAt);
  const hasAlert = isOpen && before.alertId !== null;
  const isReached = matchCount >= first.threshold;
  const extremes = (known: Date | undefined, pick: (...values: number[]) => number) =>
    new Date(
      pick(
        ...(isOpen && known ? [known.getTime()] : []),
        times.reduce((a, b) => pick(a, b)),
      ),
    );
  return {
    alertId,
    isNew: !hasAlert && isReached,
    window: {
      openedAt,
      endsAt: isOpen ? before.endsAt : new Date(evaluatedAt.getTime() + first.dedupPeriodMinutes * 60_000),
      matchCount,
      firstEventAt: extremes(before?.firstEventAt, Math.min),
      lastEventAt: extremes(before?.lastEventAt, Math.max),
      alertId: hasAlert || isReached ? alertId : null,
    },
  };
}
