import type { TenantTx, Tx } from '#platform/postgres';
import type { AlertSeed } from './detection-match.ts';
import type { Tally, Window } from './window.ts';

type WindowRow = {
  id: string;
  alert_id: string;
  opened_at: Date;
  closes_at: Date;
  match_count: string;
  is_alert: boolean;
  pending: string | null;
};

type StoredTally = Omit<Tally, 'firstEventAt' | 'lastEventAt' | 'firstReceivedAt' | 'lastReceivedAt'> & {
  firstEventAt: string;
  lastEventAt: string;
  firstReceivedAt: string;
  lastReceivedAt: string;
};

function parsePending(text: string): NonNullable<Window['pending']> {
  const { seed, tally } = JSON.parse(text) as { seed: AlertSeed; tally: StoredTally };
  return {
    seed,
    tally: {
      ...tally,
      firstEventAt: new Date(tally.firstEventAt),
      lastEventAt: new Date(tally.lastEventAt),
      firstReceivedAt: new Date(tally.firstReceivedAt),
      lastReceivedAt: new Date(tally.lastReceivedAt),
    },
  };
}

const toWindow = (row: WindowRow): Window => ({
  id: row.id,
  alertId: row.alert_id,
  openedAt: row.opened_at,
  closesAt: row.closes_at,
  matchCount: Number(row.match_count),
  isAlert: row.is_alert,
  pending: row.pending === null ? null : parsePending(row.pending),
});

const asRows = (windows: readonly Window[]): string =>
  JSON.stringify(
    windows.map((window) => ({
      id: window.id,
      alert_id: window.alertId,
      opened_at: window.openedAt,
      closes_at: window.closesAt,
      match_count: window.matchCount,
      is_alert: window.isAlert,
      pending: window.pending === null ? null : JSON.stringify(window.pending),
    })),
  );

const recordset = `json_to_recordset($2::json) AS w (id text, alert_id text, opened_at timestamptz, closes_at timestamptz,
  match_count bigint, is_alert boolean, pending text)`;

/**
 * Locks the windows of these ids, adding the given ones where there are none, and returns what is there now.
 * Rows are added and then locked in the order of their ids, so writers of overlapping sets wait and never deadlock.
 */
export async function lockWindows(tx: TenantTx, openings: readonly Window[]): Promise<ReadonlyMap<string, Window>> {
  await tx.execute(
    `INSERT INTO alert_windows (tenant_id, id, alert_id, opened_at, closes_at, match_count, is_alert)
     SELECT $1, id, alert_id, opened_at, closes_at, match_count, is_alert FROM ${recordset} ORDER BY id COLLATE "C"
     ON CONFLICT (tenant_id, id) DO NOTHING`,
    [tx.tenantId, asRows(openings)],
  );
  const rows = await tx.query<WindowRow>(
    `SELECT id, alert_id, opened_at, closes_at, match_count, is_alert, pending FROM alert_windows
     WHERE tenant_id = $1 AND id = ANY ($2::text[]) ORDER BY id COLLATE "C" FOR UPDATE`,
    [tx.tenantId, openings.map((window) => window.id)],
  );
  return new Map(rows.map((row) => [row.id, toWindow(row)]));
}

/** Writes back windows that this transaction holds locked. */
export async function saveWindows(tx: TenantTx, windows: readonly Window[]): Promise<void> {
  await tx.execute(
    `UPDATE alert_windows AS kept SET alert_id = w.alert_id, opened_at = w.opened_at, closes_at = w.closes_at,
       match_count = w.match_count, is_alert = w.is_alert, pending = w.pending
     FROM ${recordset} WHERE kept.tenant_id = $1 AND kept.id = w.id`,
    [tx.tenantId, asRows(windows)],
  );
}

/** Forgets windows of all tenants that ended before the given time, a few at a time. */
export async function deleteOldWindows(tx: Tx, before: Date, limit: number): Promise<void> {
  await tx.execute(
    `DELETE FROM alert_windows WHERE (tenant_id, id) IN (
       SELECT tenant_id, id FROM alert_windows WHERE closes_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [before, limit],
  );
}
