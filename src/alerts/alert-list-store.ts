import type { LogTypeAccess } from '#access';
import { badInput } from '#platform/errors';
import type { TenantTx } from '#platform/postgres';
import { type Alert, typesByListing } from './alert.ts';
import type { AlertsInput } from './alert-operations.ts';
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

/** Conditions joined by AND; values are bound as they are added. */
function newConditions(tenantId: string) {
  const values: unknown[] = [tenantId];
  const texts = ['tenant_id = $1'];
  return {
    values,
    text: () => texts.join(' AND '),
    bind: (value: unknown): string => `$${values.push(value)}`,
    add: (text: string) => void texts.push(text),
    /** Adds the condition when there is a value; an empty list is no filter. */
    addIf<Value>(value: Value | null | undefined, condition: (place: string) => string) {
      if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return;
      texts.push(condition(`$${values.push(value)}`));
    },
  };
}

type Conditions = ReturnType<typeof newConditions>;

/** An alert is read by who may read all its log types: its events are of all of them. */
function addAccess({ add, bind }: Conditions, access: LogTypeAccess): void {
  switch (access.kind) {
    case 'ALLOW_ALL':
      return;
    case 'DENY_ALL':
      return add("log_types = '{}'");
    case 'ALLOW':
      return add(`log_types <@ ${bind([...access.logTypes])}::text[]`);
    case 'DENY':
      return add(`NOT (log_types && ${bind([...access.logTypes])}::text[])`);
  }
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
  addIf(input.eventCountMin, (place) => `event_count >= ${place}`);
  addIf(input.eventCountMax, (place) => `event_count <= ${place}`);
  addIf(input.logSources, (place) => `log_sources && ${place}::text[]`);
  addIf(input.logTypes, (place) => `log_types && ${place}::text[]`);
  addIf(input.resourceTypes, (place) => `resource_types && ${place}::text[]`);
  addIf(input.severities, (place) => `severity = ANY (${place}::text[])`);
  addIf(input.statuses, (place) => `status = ANY (${place}::text[])`);
  addIf(input.nameContains ? likePattern(input.nameContains) : null, (place) => `title ILIKE ${place}`);
}

/** Up to `limit` alerts after the cursor's place. */
export async function listAlerts(
  tx: TenantTx,
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
