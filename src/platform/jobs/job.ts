import type { z } from 'zod';
import type { Log } from '#platform/log';

/** A kind of background work. The payload holds the tenant (or `system`) and identifiers, never data. */
export type JobDefinition<Payload = unknown> = {
  /** `domain.verb-noun`. */
  readonly name: string;
  readonly payload: z.ZodType<Payload>;
  readonly attempts: number;
  /** Pause before the second attempt; each further one doubles it. */
  readonly backoffMs: number;
  /** A handler that runs longer is told to stop through its signal and counts as failed. */
  readonly timeoutMs: number;
};

export function defineJob<Payload>(definition: JobDefinition<Payload>): JobDefinition<Payload> {
  return definition;
}

export type JobContext<Payload> = {
  readonly payload: Payload;
  readonly jobId: string;
  /** 1 for the first run. */
  readonly attempt: number;
  readonly log: Log;
  readonly signal: AbortSignal;
};

/** Does the work of one job. Safe to run twice; "not there any more" is success. */
export type JobHandler = {
  readonly job: JobDefinition;
  run(payload: unknown, context: Omit<JobContext<unknown>, 'payload'>): Promise<void>;
};

/** Binds a handler to its definition; the payload is parsed again when the job runs. */
export function handle<Payload>(
  job: JobDefinition<Payload>,
  work: (context: JobContext<Payload>) => Promise<void>,
): JobHandler {
  return {
    job: job as JobDefinition,
    run: (payload, context) => work({ ...context, payload: job.payload.parse(payload) }),
  };
}

/** Throws when a definition has no handler, two handlers, or a handler has no definition. */
export function assertOneHandlerEach(definitions: readonly JobDefinition[], handlers: readonly JobHandler[]): void {
  const names = new Set(definitions.map((definition) => definition.name));
  if (names.size !== definitions.length) throw new Error('Two jobs have the same name.');
  for (const name of names) {
    const count = handlers.filter((handler) => handler.job.name === name).length;
    if (count !== 1) throw new Error(`The job "${name}" has ${count} handlers instead of one.`);
  }
  const stray = handlers.find((handler) => !names.has(handler.job.name));
  if (stray) throw new Error(`The handler of "${stray.job.name}" belongs to no listed job.`);
}
