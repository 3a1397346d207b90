import { badInput } from '#platform/errors';
import { parseJson } from '#platform/json';
import type { LakeClient, LakeParameters } from '#platform/lake-client';
import type { Database } from '#platform/postgres';
import { qualified } from './ddl.ts';
import type { LakeFamily, LakeTable } from './lake-table.ts';
import { findTable, listTables } from './placement-store.ts';

export type LakeRow = Readonly<Record<string, unknown>>;
export type TimeWindow = { readonly from: Date; readonly to: Date };
export type LakePage = { readonly rows: readonly LakeRow[]; readonly endCursor: string | null };

/** The product's own reads: always one tenant, a time window, bound values and a limit. User-written SQL never comes here. */
export type LakeReader = {
  /** Rows of a log type by event time, newest first. */
  listEvents(tenantId: string, logType: string, window: TimeWindow, limit: number): Promise<readonly LakeRow[]>;
  countEvents(tenantId: string, window: TimeWindow): Promise<Readonly<Record<string, number>>>;
  /** Events of an alert, oldest first: those that matched, or those on which a rule failed. Numbers are exact. */
  alertEvents(
    tenantId: string,
    alert: { readonly id: string; readonly family: 'rule_matches' | 'rule_errors' },
    window: TimeWindow,
    page: { readonly cursor?: string; readonly size: number },
  ): Promise<LakePage>;
  /** Records that fit no schema, newest first. */
  listFailures(
    tenantId: string,
    sourceId: string | undefined,
    window: TimeWindow,
    limit: number,
  ): Promise<readonly LakeRow[]>;
};

type Deps = { readonly database: Database; readonly client: Pick<LakeClient, 'rows'> };

const within =
  'p_event_time >= parseDateTime64BestEffort({from:String}, 3) AND p_event_time <= parseDateTime64BestEffort({to:String}, 3)';

/** Predicate and values that hold a read inside its tenant and window. */
function fence(
  table: LakeTable,
  { from, to }: TimeWindow,
): { readonly where: string; readonly values: LakeParameters } {
  const values = { from: from.toISOString(), to: to.toISOString() };
  if (table.layout === 'dedicated') return { where: within, values };
  return { where: `p_tenant_id = {tenant:UUID} AND ${within}`, values: { ...values, tenant: table.tenantId } };
}

const cursorPattern = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) ([0-9a-f]{32})$/;

function parseCursor(cursor: string): { readonly time: string; readonly rowId: string } {
  const match = cursorPattern.exec(Buffer.from(cursor, 'base64url').toString());
  if (match === null) throw badInput('cursor', 'cursor: is not a cursor of this list');
  return { time: match[1] ?? '', rowId: match[2] ?? '' };
}

/** Absent values are left out, as they were when the event came in. */
const withoutEmpty = (row: LakeRow): LakeRow =>
  Object.fromEntries(
    Object.entries(row).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  );

/** A rule that failed before it saw an event left none. */
function eventOf(text: unknown): readonly LakeRow[] {
  return typeof text === 'string' && text.startsWith('{') ? [parseJson(text) as LakeRow] : [];
}

export function createLakeReader({ database, client }: Deps): LakeReader {
  const tableOf = (tenantId: string, family: LakeFamily, logType = '') =>
    database.withTenant(tenantId, (tx) => findTable(tx, family, logType));
  const read = async (table: LakeTable, window: TimeWindow, rest: string, values: LakeParameters, select = '*') => {
    const { where, values: fenceValues } = fence(table, window);
    const columns = select === '*' && table.layout === 'pooled' ? '* EXCEPT (p_tenant_id)' : select;
    return client.rows<LakeRow>(`SELECT ${columns} FROM ${qualified(table)} WHERE ${where} ${rest}`, {
      ...fenceValues,
      ...values,
    });
  };
  return {
    async listEvents(tenantId, logType, window, limit) {
      const table = await tableOf(tenantId, 'logs', logType);
      if (table === undefined) return [];
      const rows = await read(table, window, 'ORDER BY p_event_time DESC, p_row_id LIMIT {limit:UInt32}', { limit });
      return rows.map(withoutEmpty);
    },
    async countEvents(tenantId, window) {
      const tables = await database.withTenant(tenantId, (tx) => listTables(tx, tenantId));
      const counts: Record<string, number> = {};
      for (const table of tables.filter((item) => item.family === 'logs')) {
        const rows = await read(table, window, '', {}, 'toUInt32(count()) AS count');
        counts[table.logType] = Number(rows[0]?.['count'] ?? 0);
      }
      return counts;
    },
    async alertEvents(tenantId, alert, window, { cursor, size }) {
      const table = await tableOf(tenantId, alert.family);
      if (table === undefined) return { rows: [], endCursor: null };
      const after = cursor === undefined ? undefined : parseCursor(cursor);
      const rest = `AND p_alert_id = {alert:String} ${after ? 'AND (p_event_time, p_row_id) > (parseDateTime64BestEffort({time:String}, 3), {row:String})' : ''}
        ORDER BY p_event_time, p_row_id LIMIT {limit:UInt32}`;
      const values = { alert: alert.id, limit: size + 1, ...(after ? { time: after.time, row: after.rowId } : {}) };
      const rows = await read(table, window, rest, values, 'p_event_time, p_row_id, p_event');
      const page = rows.slice(0, size);
      const last = page.at(-1);
      const endCursor =
        rows.length > size && last
          ? Buffer.from(`${String(last['p_event_time'])} ${String(last['p_row_id'])}`).toString('base64url')
          : null;
      return { rows: page.flatMap((row) => eventOf(row['p_event'])), endCursor };
    },
    async listFailures(tenantId, sourceId, window, limit) {
      const table = await tableOf(tenantId, 'classification_failures');
      if (table === undefined) return [];
      const filter = sourceId === undefined ? '' : 'AND p_source_id = {source:String}';
      const rows = await read(table, window, `${filter} ORDER BY p_event_time DESC, p_row_id LIMIT {limit:UInt32}`, {
        limit,
        ...(sourceId === undefined ? {} : { source: sourceId }),
      });
      return rows.map(withoutEmpty);
    },
  };
}
