import type { Ids } from '#platform/ids';
import type { LakeClient } from '#platform/lake-client';
import type { Database } from '#platform/postgres';
import { addColumns, createDatabase, createTable, type LakeEngine, packing, repackColumns } from './ddl.ts';
import {
  familyColumns,
  type LakeColumn,
  type LakeFamily,
  type LakeLayout,
  type LakeTable,
  placeTable,
} from './lake-table.ts';
import { findTable, insertTable, updateTable } from './placement-store.ts';

type Deps = {
  readonly database: Database;
  readonly client: Pick<LakeClient, 'command'>;
  readonly ids: Ids;
  readonly layout: LakeLayout;
  readonly engine: LakeEngine;
  readonly retentionDays: number;
};

export type TableKeeper = {
  /** The table of a tenant, made when there is none, with at least these columns. Safe to call from many processes. */
  ensure(tenantId: string, family: LakeFamily, logType: string, columns?: readonly LakeColumn[]): Promise<LakeTable>;
};

const sameType = (a: LakeColumn, b: LakeColumn): boolean => a.type === b.type && a.element === b.element;

/**
 * Columns to add. Names differ by more than case in no table. A column whose type changed keeps its old one: rows of the
 * new type that do not fit are found by the load and kept as failures, until a new column is chosen for it.
 */
function missingColumns(known: readonly LakeColumn[], wanted: readonly LakeColumn[]): readonly LakeColumn[] {
  const names = new Set(known.map((column) => column.name.toLowerCase()));
  return wanted.filter((column) => !names.has(column.name.toLowerCase()));
}

/** Knows which tables exist, and remembers it for the life of the process. */
export function createTableKeeper(deps: Deps): TableKeeper {
  const known = new Map<string, LakeTable>();
  const make = async (
    tenantId: string,
    family: LakeFamily,
    logType: string,
    columns: readonly LakeColumn[],
  ): Promise<LakeTable> => {
    const found = await deps.database.withTenant(tenantId, (tx) => findTable(tx, family, logType));
    const table = found ?? {
      id: deps.ids.uuid(),
      tenantId,
      family,
      logType,
      layout: deps.layout,
      ...placeTable(tenantId, family, logType, deps.layout),
      columns,
      packing,
    };
    if (found === undefined) {
      await deps.client.command(createDatabase(table.database));
      await deps.client.command(createTable(table, deps));
    }
    const missing = missingColumns(table.columns, columns);
    // A pooled table may have been made by a tenant whose schema knew fewer columns.
    const toAdd = found === undefined && table.layout === 'pooled' ? columns : missing;
    if (toAdd.length > 0) await deps.client.command(addColumns(table, toAdd));
    const isOlder = table.packing < packing;
    if (isOlder) await deps.client.command(repackColumns(table));
    const complete = { ...table, columns: [...table.columns, ...missing], packing };
    return deps.database.withTenant(tenantId, async (tx) => {
      if (found === undefined) return insertTable(tx, complete);
      if (missing.length > 0 || isOlder) await updateTable(tx, complete);
      return complete;
    });
  };
  return {
    async ensure(tenantId, family, logType, columns) {
      const key = `${tenantId}/${family}/${logType}`;
      const wanted = columns ?? (family === 'logs' ? [] : familyColumns[family]);
      const cached = known.get(key);
      if (
        cached &&
        wanted.every((column) => cached.columns.some((other) => other.name === column.name && sameType(other, column)))
      )
        return cached;
      const table = await make(tenantId, family, logType, wanted);
      known.set(key, table);
      return table;
    },
  };
}
