import pg from 'pg';
import type { Tx } from './database.ts';

/**
 * Kinds of work that a backup holds back for a moment: `loads` into the lake, moving jobs out of the `outbox`, and
 * `deletions` of objects that rows name. A pause is an advisory lock of the database: it ends with the session of who
 * asked for it, also when that one is killed.
 */
export type PausableWork = 'loads' | 'outbox' | 'deletions';

const firstKey = 7_714_220; // any constant: the lock of migrations is 7_714_211
const keys: Readonly<Record<PausableWork, number>> = { loads: firstKey, outbox: firstKey + 1, deletions: firstKey + 2 };

/** Whether the work may go on in this transaction; a pause that is asked for meanwhile waits for the transaction's end. */
export async function mayRun(tx: Tx, work: PausableWork): Promise<boolean> {
  const rows = await tx.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock_shared($1) AS free', [keys[work]]);
  return rows[0]?.free === true;
}

export type Pause = {
  /** Lets the work go on. */
  release(work: PausableWork): Promise<void>;
  close(): Promise<void>;
};

/** Holds the work back and waits for what is under way. Throws when another pause holds it after the given time. */
export async function pause(url: string, works: readonly PausableWork[], waitMs = 60_000): Promise<Pause> {
  const client = new pg.Client({ connectionString: url, application_name: 'margay pause' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`SET lock_timeout = ${Math.floor(waitMs)}`);
    for (const work of works) await client.query('SELECT pg_advisory_lock($1)', [keys[work]]);
  } catch (error) {
    await client.end();
    throw new Error('Another backup is running, or work that must pause does not end. Try again later.', {
      cause: error,
    });
  }
  return {
    async release(work) {
      await client.query('SELECT pg_advisory_unlock($1)', [keys[work]]);
    },
    close: () => client.end(),
  };
}
