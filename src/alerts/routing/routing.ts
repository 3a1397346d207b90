import type { AlertType, Severity } from '../alert.ts';

/** The settings of a destination that decide which alerts it gets. Empty lists of types and log types mean all. */
export type RoutedDestination = {
  readonly id: string;
  readonly name: string;
  readonly severities: readonly Severity[];
  readonly alertTypes: readonly AlertType[];
  readonly logTypes: readonly string[];
  /** A destination that is switched off gets nothing, also when a detection names it. */
  readonly isEnabled: boolean;
};

export type RoutedAlert = {
  readonly type: AlertType;
  readonly severity: Severity;
  readonly logTypes: readonly string[];
  /** What the detection asked for: names or ids. Null when it asked for nothing. */
  readonly destinations: readonly string[] | null;
};

function isWanted({ type, severity, logTypes }: RoutedAlert, destination: RoutedDestination): boolean {
  const takes = (wanted: readonly string[], offered: readonly string[]) =>
    wanted.length === 0 || offered.length === 0 || offered.some((item) => wanted.includes(item));
  // Trouble of the product itself goes to whoever asked for it, however they set severities.
  const isSevereEnough = type === 'SYSTEM_ERROR' || destination.severities.includes(severity);
  return isSevereEnough && takes(destination.alertTypes, [type]) && takes(destination.logTypes, logTypes);
}

/**
 * Ids of the destinations an alert goes to, each once. A detection's own wish comes before all settings; names and ids
 * that exist no longer are ignored, and a wish of which nothing is left counts as none.
 */
export function routeAlert(alert: RoutedAlert, all: readonly RoutedDestination[]): readonly string[] {
  const { destinations: wishes } = alert;
  const destinations = all.filter(({ isEnabled }) => isEnabled);
  if (wishes !== null) {
    if (wishes.length === 0 || wishes.includes('SKIP')) return [];
    const wished = destinations.filter(({ id, name }) => wishes.includes(id) || wishes.includes(name));
    if (wished.length > 0) return wished.map(({ id }) => id);
  }
  return destinations.filter((destination) => isWanted(alert, destination)).map(({ id }) => id);
}
