import type { ActorReference } from '#access';

/** How a sender proves itself. Secrets are stored encrypted, apart from this, and never given back. */
export type HttpAuth =
  | { readonly method: 'SharedSecret'; readonly headerKey: string }
  | { readonly method: 'HMAC'; readonly headerKey: string; readonly algorithm: 'sha256' | 'sha1' }
  | { readonly method: 'Bearer' }
  | { readonly method: 'Basic'; readonly username: string }
  | { readonly method: 'None' };

export type LogStreamType = 'Auto' | 'JSON' | 'JsonArray' | 'Lines' | 'CloudWatchLogs' | 'XML';

export type LogStreamOptions = {
  readonly jsonArrayEnvelopeField?: string;
  readonly retainEnvelopeFields?: boolean;
  readonly xmlRootElement?: string;
};

/** A place that receives logs by `POST /http/<id>`. */
export type HttpSource = {
  readonly id: string;
  readonly tenantId: string;
  readonly label: string;
  readonly logTypes: readonly string[];
  readonly streamType: LogStreamType;
  readonly streamOptions: LogStreamOptions;
  readonly auth: HttpAuth;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastReceivedAt: Date | null;
  /** Null for sources of earlier versions. */
  readonly createdBy: ActorReference | null;
  /** No open system error is about it. */
  readonly isHealthy: boolean;
};
