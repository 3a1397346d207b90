import type { Database } from '#platform/postgres';
import { createModelDatabase, type Interception } from './database.ts';
import { Tables } from './transaction.ts';

/** The model alone, with a clock of its own and no harm. */
export function openModelDatabase(intercept?: Interception): Database {
  const world = {
    now: () => new Date(),
    step: async () => undefined,
    resume: (wake: () => void) => queueMicrotask(wake),
    onDeath: () => () => undefined,
    notify: () => undefined,
    listen: () => () => undefined,
  };
  return createModelDatabase({ tables: new Tables(), world, intercept });
}
