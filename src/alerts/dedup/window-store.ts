import type { TenantTx } from '#platform/postgres';
import type { AlertType } from '../alert.ts';
import type { AlertWindow } from './window.ts';

export type WindowKey = { readonly detectionId: string; readonly type: AlertType; readonly dedup: string };

type WindowRow = {
  detection_id: string;
  type: AlertType;
  dedup: string;
  opened_at: Date;
  ends_at: Date;
  match_count: string;
  first_event_at: Date;
  last_event_at: Date;
  alert_id: string | null;
};

/** Text under which a key is found in maps. */
export const keyText = ({ detectionId, type, dedup }: WindowKey): string => JSON.stringify([detectionId, type, dedup]);

/**
 * Locks the windows of the keys, making empty ones where there are none. `keys` must be sorted by `keyText`, so that two
 * transactions never wait for each other.
 */
export async function lockWindows(
  tx: TenantTx,
  keys: readonly WindowKey[],
  now: Date,
): Promise<ReadonlyMap<string, AlertWindow>> {
  const lists = [
    tx.tenantId,
    keys.map((key) => key.detectionId),
    keys.map((key) => key.type),
    keys.map((key) => key.dedup),
  ];
  await tx.execute(
    `INSERT INTO alert_windows (tenant_id, detection_id, type, dedup, opened_at, ends_at, match_count, first_event_at, last_event_at)
     SELECT $1, k.detection_id, k.type, k.dedup, $5, $5, 0, $5, $5
     FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS k (detection_id, type, dedup, place) ORDER BY k.place
     ON CONFLICT DO NOTHING`,
    [...lists, now],
  );
  const rows = await tx.query<WindowRow>(
    `SELECT w.* FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS k (detection_id, type, dedup, place)
     JOIN alert_windows w ON w.tenant_id = $1 AND w.detection_id = k.detection_id AND w.type = k.type AND w.dedup = k.dedup
     ORDER BY k.place FOR UPDATE OF w`,
    lists,
  );
  return new Map(
    rows.map((row) => [
      keyText({ detectionId: row.detection_id, type: row.type, dedup: row.dedup }),
      {
        openedAt: row.opened_at,
        endsAt: row.ends_at,
        matchCount: Number(row.match_count),
        firstEventAt: row.first_event_at,
        lastEventAt: row.last_event_at,
        alertId: row.alert_id,
      },
    ]),
  );
}

export async function saveWindows(
  tx: TenantTx,
  changes: readonly { readonly key: WindowKey; readonly window: AlertWindow }[],
): Promise<void> {
  await tx.execute(
    `UPDATE alert_windows w SET opened_at = c.opened_at, ends_at = c.ends_at, match_count = c.match_count,
       first_event_at = c.first_event_at, last_event_at = c.last_event_at, alert_id = c.alert_id
     FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::timestamptz[], $9::timestamptz[], $10::text[])
       AS c (detection_id, type, dedup, opened_at, ends_at, match_count, first_event_at, last_event_at, alert_id)
     WHERE w.tenant_id = $1 AND w.detection_id = c.detection_id AND w.type = c.type AND w.dedup = c.dedup`,
    [
      tx.tenantId,
      changes.map(({ key }) => key.detectionId),
      changes.map(({ key }) => key.type),
      changes.map(({ key }) => key.dedup),
      changes.map(({ window }) => window.openedAt),
      changes.map(({ window }) => window.endsAt),
      changes.map(({ window }) => window.matchCount),
      changes.map(({ window }) => window.firstEventAt),
      changes.map(({ window }) => window.lastEventAt),
      changes.map(({ window }) => window.alertId),
    ],
  );
}
