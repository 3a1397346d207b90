import type { TenantTx } from '#platform/postgres';
import { type AuditEvent, chainStart } from './audit-event.ts';

type Head = { readonly sequence: number; readonly hash: Uint8Array };

/** Last row of the tenant's chain. Writers of one tenant take turns here until their transaction ends. */
export async function lockHead(tx: TenantTx): Promise<Head> {
  await tx.execute(
    'INSERT INTO audit_heads (tenant_id, sequence, hash) VALUES ($1, 0, $2) ON CONFLICT (tenant_id) DO NOTHING',
    [tx.tenantId, chainStart],
  );
  const rows = await tx.query<{ sequence: string; hash: Uint8Array }>(
    'SELECT sequence, hash FROM audit_heads WHERE tenant_id = $1 FOR UPDATE',
    [tx.tenantId],
  );
  const head = rows[0];
  if (head === undefined) throw new Error('The head of the audit chain is missing.');
  return { sequence: Number(head.sequence), hash: head.hash };
}

export async function insertEvent(tx: TenantTx, event: AuditEvent, hash: Uint8Array): Promise<void> {
  await tx.execute(
    `INSERT INTO audit_events (tenant_id, sequence, recorded_at, action, result, actor_kind, actor_id, actor_name,
       target_kind, target_id, parameters, error, ip_address, user_agent, trace_id, hash)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      tx.tenantId,
      event.sequence,
      event.recordedAt,
      event.action,
      event.result,
      event.actorKind,
      event.actorId,
      event.actorName,
      event.targetKind,
      event.targetId,
      JSON.stringify(event.parameters),
      event.error,
      event.ipAddress,
      event.userAgent,
      event.traceId,
      hash,
    ],
  );
  await tx.execute('UPDATE audit_heads SET sequence = $2, hash = $3 WHERE tenant_id = $1', [
    tx.tenantId,
    event.sequence,
    hash,
  ]);
}

type AuditRow = {
  sequence: string;
  recorded_at: Date;
  action: string;
  result: AuditEvent['result'];
  actor_kind: AuditEvent['actorKind'];
  actor_id: string;
  actor_name: string;
  target_kind: string | null;
  target_id: string | null;
  parameters: Record<string, unknown>;
  error: string | null;
  ip_address: string | null;
  user_agent: string | null;
  trace_id: string;
  hash: Uint8Array;
};

export type StoredAuditEvent = AuditEvent & { readonly hash: Uint8Array };

/** Rows with a sequence below `before`, newest first. */
export async function listEvents(
  tx: TenantTx,
  options: { readonly before?: number; readonly limit: number },
): Promise<readonly StoredAuditEvent[]> {
  const rows = await tx.query<AuditRow>(
    'SELECT * FROM audit_events WHERE tenant_id = $1 AND sequence < $2 ORDER BY sequence DESC LIMIT $3',
    [tx.tenantId, options.before ?? Number.MAX_SAFE_INTEGER, options.limit],
  );
  return rows.map((row) => ({
    sequence: Number(row.sequence),
    recordedAt: row.recorded_at,
    action: row.action,
    result: row.result,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    actorName: row.actor_name,
    targetKind: row.target_kind,
    targetId: row.target_id,
    parameters: row.parameters,
    error: row.error,
    ipAddress: row.ip_address,
    userAgent: row.user_agent,
    traceId: row.trace_id,
    hash: row.hash,
  }));
}
