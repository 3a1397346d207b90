import type { LogTypeAccess } from '#access';
import { badInput } from '#platform/errors';
import type { TenantReader } from '#platform/postgres';
import { type Alert, typesByListing } from './alert.ts';
import type { AlertsInput } from './alert-operations.ts';
import { addAccess, type Conditions, newConditions } from './alert-conditions.ts';
import { alertColumns, type AlertRow, toAlert } from './alert-store.ts';

type Position = { readonly createdAt: Date; readonly id: string };

export function cursorOf({ createdAt, id }: Position): string {
  return Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');
}

function parseCursor(text: string): Position {
  const match = /^(\S{20,30}) ([0-9a-f]{32})$/.exec(Buffer.from(text, 'base64url').toString());
  const createdAt = new Date(match?.[1] ?? '');
  if (match === null || Number.isNaN(createdAt.getTime()))
    throw badInput('cursor', 'cursor: is not a cursor of this list');
  return { createdAt, id: match[2] ?? '' };
}

const likePattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

function addFilters(conditions: Conditions, input: AlertsInput): void {
  const { addIf } = conditions;
  const types = input.subtypes && input.subtypes.length > 0 ? input.subtypes : typesByListing[input.type ?? 'ALERT'];
  addIf(types, (place) => `type = ANY (${place}::text[])`);
  addIf(input.detectionId, (place) => `detection_id = ${place}`);
  addIf(input.createdAtAfter, (place) => `created_at >= ${place}`);
  addIf(input.createdAtBefore, (place) => `created_at <= ${place}`);
  addIf(input.assigneeIds, (place) => `assignee_id::text = ANY (${place}::text[])`);
  addIf(input.eventCountMin, (place) => `greatest(event_count, 1) >= ${place}`);
  addIf(input.eventCountMax, (place) => `event_count <= ${place}`);
  addIf(input.logSources, (place) => `log_sources && ${place}::text[]`);
  addIf(input.logTypes, (place) => `log_types && ${place}::text[]`);
  addIf(input.resourceTypes, (place) => `resource_types && ${place}::text[]`);
  addIf(input.qualities, (place) => `quality = ANY (${place}::text[])`);
  addIf(input.contextTags, (place) => `(context_tags && ${place}::text[] AND context_tags <> '{}')`);
  addIf(input.severities, (place) => `severity = ANY (${place}::text[])`);
  addIf(input.statuses, (place) => `status = ANY (${place}::text[])`);
  addIf(input.nameContains ? likePattern(input.nameContains) : null, (place) => `title ILIKE ${place}`);
}

/** Up to `limit` alerts after the cursor's place. */
export async function listAlerts(
  tx: TenantReader,
  input: AlertsInput,
  access: LogTypeAccess,
  limit: number,
): Promise<readonly Alert[]> {
  const conditions = newConditions(tx.tenantId);
  addFilters(conditions, input);
  addAccess(conditions, access);
  const isAscending = input.sortDir === 'ascending';
  if (input.cursor) {
    const { createdAt, id } = parseCursor(input.cursor);
    const place = `(${conditions.bind(createdAt)}::timestamptz, ${conditions.bind(id)}::text)`;
    conditions.add(`(created_at, id) ${isAscending ? '>' : '<'} ${place}`);
  }
  const direction = isAscending ? 'ASC' : 'DESC';
  const rows = await tx.query<AlertRow>(
    `SELECT ${alertColumns} FROM alerts WHERE ${conditions.text()}
     ORDER BY created_at ${direction}, id ${direction} LIMIT ${conditions.bind(limit)}`,
    conditions.values,
  );
  return rows.map(toAlert);
}
