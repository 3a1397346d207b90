import type { LogTypeAccess } from '#access';
import { hashId } from '#platform/ids';
import type { ColumnOut } from '../plan/plan.ts';
import type { SqlType } from '../plan/type.ts';
import type { DialectName } from '../sql/dialect.ts';

export type QueryState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
export type QueryIssuer = { readonly kind: 'user' | 'token' | 'system'; readonly id: string; readonly name: string };

/** The type of a result's column, without what a schema says about its inside. */
export type ResultType = { readonly kind: SqlType['kind']; readonly element?: ResultType };
export type ResultColumn = { readonly name: string; readonly type: ResultType };

/** A query over the lake, from the moment it was asked. */
export type LakeQuery = {
  readonly id: string;
  readonly state: QueryState;
  readonly name: string | null;
  readonly sql: string;
  readonly databaseName: string;
  readonly dialect: DialectName;
  readonly isScheduled: boolean;
  readonly issuer: QueryIssuer;
  readonly columns: readonly ResultColumn[];
  readonly logTypes: readonly string[];
  readonly accessKey: string;
  readonly resultOf: string | null;
  readonly message: string;
  readonly rowCount: number;
  readonly resultBytes: number;
  readonly readRows: number;
  readonly readBytes: number;
  readonly startedAt: Date;
  readonly runAt: Date | null;
  readonly completedAt: Date | null;
};

/** Rows in one stored piece of a result. */
export const rowsPerPiece = 1000;

/** Stands among the log types of a query for "rows of any log type the asker may read". */
export const anyLogType = '*';

/** The same for two callers exactly when they may read the same log types. */
export function accessKeyOf(access: LogTypeAccess): string {
  return access.kind === 'ALLOW' || access.kind === 'DENY'
    ? hashId(access.kind, ...[...access.logTypes].toSorted())
    : access.kind;
}

const resultType = (type: SqlType): ResultType =>
  type.kind === 'array' ? { kind: type.kind, element: resultType(type.element) } : { kind: type.kind };

/** Columns under names that differ: a second `a` becomes `a_2`. */
export function resultColumns(columns: readonly ColumnOut[]): readonly ResultColumn[] {
  const used = new Set<string>();
  return columns.map(({ name, type }) => {
    let unique = name;
    for (let number = 2; used.has(unique); number++) unique = `${name}_${number}`;
    used.add(unique);
    return { name: unique, type: resultType(type) };
  });
}

/** The word for a type that clients know from the lake's own language. */
export function typeWord(type: ResultType): string {
  return type.kind === 'array'
    ? `array(${type.element === undefined ? 'variant' : typeWord(type.element)})`
    : type.kind;
}
