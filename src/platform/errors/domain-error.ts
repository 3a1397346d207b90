/** Stable, machine-readable kind of a failure; the doors (GraphQL, REST, CLI) map it to their own codes. */
export type ErrorCode =
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'bad_input'
  | 'conflict'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable'
  /** A part of the product that is not built yet. */
  | 'not_available'
  | 'internal';

type DomainErrorOptions = {
  /** What the caller may read: quotes what they sent and says what to do. Never a secret. */
  readonly publicMessage: string;
  /** Name of the input field at fault, in the caller's own terms. */
  readonly field?: string;
  /** Fields beside the message, for answers that have room for them. Never a secret. */
  readonly answer?: Readonly<Record<string, unknown>>;
  /** For the log only. */
  readonly detail?: Readonly<Record<string, unknown>>;
  readonly retryable?: boolean;
  /** Seconds after which a retry makes sense (`Retry-After`, RFC 9110 section 10.2.3). */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
};

/** The one error class that crosses room borders. Anything else that is thrown is a bug and is masked. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: ErrorCode;
  readonly publicMessage: string;
  readonly field: string | undefined;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, options: DomainErrorOptions) {
    super(options.publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.publicMessage = options.publicMessage;
    this.field = options.field;
    this.answer = options.answer ?? {};
    this.detail = options.detail ?? {};
    this.retryable = options.retryable ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** A field of the caller's input is wrong. The message must name the field's rule, not our type system. */
export function badInput(field: string, publicMessage: string): DomainError {
  return new DomainError('bad_input', { field, publicMessage });
}

/** The one answer for "does not exist" and "belongs to somebody else": the caller cannot tell them apart. */
export function notFound(kind: string, id: string): DomainError {
  return new DomainError('not_found', { publicMessage: `There is no ${kind} with the id "${id.slice(0, 200)}".` });
}

/** Text of any thrown value, for logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
