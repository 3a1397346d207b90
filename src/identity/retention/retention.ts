/** Days that the deployment keeps things, which is also the most a tenant may ask for. */
export type RetentionLimits = {
  readonly rawDays: number;
  readonly eventDays: number;
  readonly deliveryLogDays: number;
};

/** What a tenant asked for; null where it left the choice to the deployment. */
export type OwnRetention = { readonly [Name in keyof RetentionLimits]: number | null };

export const noOwnRetention: OwnRetention = { rawDays: null, eventDays: null, deliveryLogDays: null };

/** Days that count: the tenant's choice, never more than the deployment's, also when that was lowered since. */
export function effectiveRetention(own: OwnRetention, limits: RetentionLimits): RetentionLimits {
  const least = (name: keyof RetentionLimits): number => Math.min(own[name] ?? limits[name], limits[name]);
  return { rawDays: least('rawDays'), eventDays: least('eventDays'), deliveryLogDays: least('deliveryLogDays') };
}
