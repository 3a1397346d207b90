import type { ActorReference, LogTypeAccess, Permission } from '#access';

export type Role = {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly logTypeAccessKind: LogTypeAccess['kind'];
  readonly logTypeAccess: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Null when nobody changed it. */
  readonly updatedBy: ActorReference | null;
};

export type User = {
  readonly id: string;
  readonly email: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly role: Role;
  readonly isEnabled: boolean;
  readonly hasPassword: boolean;
  readonly createdAt: Date;
  readonly lastSignedInAt: Date | null;
};

/** The access of a role as the checks want it. */
export function accessOf({ logTypeAccessKind: kind, logTypeAccess }: Role): LogTypeAccess {
  return kind === 'ALLOW' || kind === 'DENY' ? { kind, logTypes: new Set(logTypeAccess) } : { kind };
}

/** How long sign-in stays closed after so many wrong passwords in a row: the pause doubles from the fifth on, up to 15 minutes. */
export function lockSeconds(failures: number): number {
  return failures < 5 ? 0 : Math.min(900, 15 * 2 ** (failures - 5));
}

/** A session ends after half a day without use, and after a week in any case. */
export const sessionLimits = { idleSeconds: 12 * 3600, absoluteSeconds: 7 * 24 * 3600 };
