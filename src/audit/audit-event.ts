import { createHash } from 'node:crypto';

export type AuditResult = 'SUCCEEDED' | 'FAILED' | 'PARTIALLY_FAILED';

/** One recorded action. `parameters` are chosen by the service and never hold a secret. */
export type AuditEvent = {
  readonly sequence: number;
  readonly recordedAt: Date;
  readonly action: string;
  readonly result: AuditResult;
  readonly actorKind: 'user' | 'token' | 'system';
  readonly actorId: string;
  readonly actorName: string;
  readonly targetKind: string | null;
  readonly targetId: string | null;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly error: string | null;
  readonly ipAddress: string | null;
  readonly userAgent: string | null;
  readonly traceId: string;
};

/** Object keys in order, so that the text, and with it the hash, does not depend on how the row was read. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}

/** SHA-256 over the hash of the row before and every field of this one. The first row of a tenant follows 32 zero bytes. */
export function chainHash(previous: Uint8Array, event: AuditEvent): Buffer {
  const text = canonicalJson({ ...event, recordedAt: event.recordedAt.toISOString() });
  return createHash('sha256').update(previous).update(text).digest();
}

/** Something an operator did to the deployment itself. */
export type OperatorEvent = {
  readonly sequence: number;
  readonly recordedAt: Date;
  readonly action: string;
  readonly operator: string;
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** The same chain for the one list of operator events. */
export function operatorHash(previous: Uint8Array, event: OperatorEvent): Buffer {
  const text = canonicalJson({ ...event, recordedAt: event.recordedAt.toISOString() });
  return createHash('sha256').update(previous).update(text).digest();
}

export const chainStart: Uint8Array = new Uint8Array(32);
