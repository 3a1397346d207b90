import type { CorrelationDetection } from '../content/types/correlation-rule.ts';
import { correlateGroup } from './group.ts';
import { correlateSequence } from './sequence.ts';
import type { Correlation, Signal } from './signal.ts';

/**
 * Whether signals fulfil a correlation rule, once for each shared value. A pure function of the signals; those outside
 * of any lookback window that begins with one of them do not count.
 */
export function correlate(detection: CorrelationDetection, signals: readonly Signal[]): readonly Correlation[] {
  const sorted = signals.toSorted((a, b) => a.atMs - b.atMs);
  return detection.Group ? correlateGroup(detection, sorted) : correlateSequence(detection, sorted);
}
