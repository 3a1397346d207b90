import type { LogTypeAccess } from './log-type-access.ts';
import type { Permission } from './permission.ts';

/** Where a request came from; kept with audit rows and logs. */
export type RequestOrigin = {
  readonly ipAddress?: string;
  readonly forwardedFor?: readonly string[];
  readonly userAgent?: string;
  /** 32 hex digits (W3C Trace Context), the same from the request to the delivery it causes. */
  readonly traceId: string;
};

type Granted = {
  readonly tenantId: string;
  /** Effective: already widened by what each permission implies. */
  readonly permissions: ReadonlySet<Permission>;
  readonly logTypeAccess: LogTypeAccess;
  readonly origin: RequestOrigin;
};

/** Who did something, as it is stored beside what was done; the name is what it was then. */
export type ActorReference = { readonly kind: Actor['kind']; readonly id: string; readonly name: string };

export const referenceOf = ({ kind, id, name }: ActorReference): ActorReference => ({ kind, id, name });

/** Who asks. Made only by identity (from a session or token) or by the product itself (`system`). */
export type Actor =
  | (Granted & {
      readonly kind: 'user';
      readonly id: string;
      readonly name: string;
      readonly email: string;
      readonly roleId: string;
      readonly roleName: string;
      readonly sessionId: string;
    })
  | (Granted & { readonly kind: 'token'; readonly id: string; readonly name: string })
  | (Granted & { readonly kind: 'system'; readonly id: 'system'; readonly name: string });
