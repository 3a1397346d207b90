import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ColumnOut, Expr, Query } from '../plan/plan.ts';
import type { Dialect } from './dialect.ts';
import type { Scope } from './scope.ts';

/** A named query of a WITH clause, as references to it see it. */
export type KnownCte = {
  readonly name: string;
  readonly id: string;
  readonly columns: readonly ColumnOut[];
  readonly scans: number;
};

/** What may stand at a place: aggregates have no meaning in WHERE, windows none in WHERE, GROUP BY and HAVING. */
export type Clause = { readonly name: string; readonly allowsAggregates: boolean; readonly allowsWindows: boolean };

export const selectClause: Clause = { name: 'SELECT', allowsAggregates: true, allowsWindows: true };
export const whereClause: Clause = { name: 'WHERE', allowsAggregates: false, allowsWindows: false };
export const havingClause: Clause = { name: 'HAVING', allowsAggregates: true, allowsWindows: false };

export type Place = { readonly scope: Scope; readonly clause: Clause; readonly ctes: readonly KnownCte[] };

/** What all parts of the binder share while one statement is bound. */
export type Binder = {
  readonly dialect: Dialect;
  readonly catalogue: Catalogue;
  readonly defaultDatabase: string;
  /** The moment the query means by "now": the same for all of it. */
  readonly now: Date;
  /** A fresh name for a table (`t`), output (`c`), named query (`q`), flattened list (`f`) or parameter (`p`). */
  fresh(kind: 't' | 'c' | 'q' | 'f' | 'p'): string;
  expr(node: unknown, at: Place): Expr;
  query(node: unknown, at: Omit<Place, 'clause'>): Query;
  /** Counts reads of physical tables; throws when a statement would read too many. */
  countScans(scans: number): void;
  scans(): number;
  /** Notes that rows of this log type are read; undefined when the table holds many. */
  noteLogType(logType: string | undefined): void;
};
