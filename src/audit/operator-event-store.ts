import type { Tx } from '#platform/postgres';
import type { OperatorEvent } from './audit-event.ts';

/** Writers take turns until their transaction ends. */
export async function lockOperatorEvents(tx: Tx): Promise<void> {
  await tx.query("SELECT pg_advisory_xact_lock(hashtext('margay operator events'))");
}

export async function insertOperatorEvent(tx: Tx, event: OperatorEvent, hash: Uint8Array): Promise<void> {
  await tx.execute(
    `INSERT INTO operator_events (sequence, recorded_at, action, operator, parameters, hash) VALUES ($1, $2, $3, $4, $5, $6)`,
    [event.sequence, event.recordedAt, event.action, event.operator, JSON.stringify(event.parameters), hash],
  );
}

type Row = {
  sequence: string;
  recorded_at: Date;
  action: string;
  operator: string;
  parameters: OperatorEvent['parameters'];
  hash: Uint8Array;
};

/** The latest, newest first. */
export async function listOperatorEvents(
  tx: Tx,
  limit: number,
): Promise<readonly (OperatorEvent & { readonly hash: Uint8Array })[]> {
  const rows = await tx.query<Row>('SELECT * FROM operator_events ORDER BY sequence DESC LIMIT $1', [limit]);
  return rows.map((row) => ({
    sequence: Number(row.sequence),
    recordedAt: row.recorded_at,
    action: row.action,
    operator: row.operator,
    parameters: row.parameters,
    hash: row.hash,
  }));
}
