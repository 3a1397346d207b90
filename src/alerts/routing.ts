import type { AlertSeverity } from './alert.ts';

/** The part of a destination that decides whether an alert goes there. */
export type Route = {
  readonly id: string;
  readonly name: string;
  readonly severities: readonly string[];
  /** Empty: all log types. */
  readonly logTypes: readonly string[];
  readonly isEnabled: boolean;
};

/**
 * Where an alert goes: to the destinations its detection chose, by name or id (`SKIP` means nowhere), else to every
 * one whose severities and log types fit. Disabled destinations receive nothing.
 */
export function routeAlert(
  alert: {
    readonly severity: AlertSeverity;
    readonly logTypes: readonly string[];
    readonly chosen: readonly string[] | undefined;
  },
  routes: readonly Route[],
): readonly Route[] {
  const enabled = routes.filter((route) => route.isEnabled);
  const { chosen } = alert;
  if (chosen !== undefined) return enabled.filter((route) => chosen.includes(route.id) || chosen.includes(route.name));
  return enabled.filter(
    (route) =>
      route.severities.includes(alert.severity) &&
      (route.logTypes.length === 0 || alert.logTypes.some((logType) => route.logTypes.includes(logType))),
  );
}
