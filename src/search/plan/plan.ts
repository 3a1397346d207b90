import type { SqlType } from './type.ts';

/**
 * The bound plan: what a query means, with every name resolved and every function known. All query languages end here,
 * and the engine's SQL is printed from here alone. Tables are named by the catalogue, outputs by numbers.
 */

export type TimeUnit = 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';

export type Operator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '||'
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or'
  | 'not'
  | 'negate'
  | 'is null'
  | 'is not null'
  | 'is distinct';

export type OrderItem = { readonly expr: Expr; readonly isDescending: boolean; readonly nullsFirst: boolean };

export type FrameBound =
  | { readonly kind: 'current' }
  | { readonly kind: 'preceding' | 'following'; readonly rows?: number };

export type Window = {
  readonly partitionBy: readonly Expr[];
  readonly orderBy: readonly OrderItem[];
  readonly frame?: { readonly unit: 'rows' | 'range'; readonly start: FrameBound; readonly end: FrameBound };
};

export type Expr = { readonly type: SqlType } & (
  | { readonly node: 'literal'; readonly value: string | number | boolean | null }
  /** A whole number too large for a double keeps its digits as text. */
  | { readonly node: 'number'; readonly digits: string }
  | { readonly node: 'time'; readonly at: Date }
  | { readonly node: 'column'; readonly table: string; readonly name: string }
  /** A value inside an object column, by its keys. */
  | { readonly node: 'path'; readonly base: Expr; readonly keys: readonly string[] }
  /** A value inside JSON text; numbers are places in an array, from 0. */
  | { readonly node: 'extract'; readonly base: Expr; readonly keys: readonly (string | number | Expr)[] }
  | { readonly node: 'element'; readonly array: Expr; readonly index: Expr }
  /** Part of a flattened value. */
  | { readonly node: 'item'; readonly flatten: string; readonly part: 'key' | 'index' | 'value' }
  | { readonly node: 'operator'; readonly operator: Operator; readonly args: readonly Expr[] }
  | {
      readonly node: 'call';
      readonly name: string;
      readonly args: readonly Expr[];
      readonly isDistinct?: boolean;
      readonly orderBy?: readonly OrderItem[];
      readonly over?: Window;
      readonly unit?: TimeUnit;
    }
  | { readonly node: 'convert'; readonly expr: Expr; readonly isScalarOnly?: boolean; readonly isExact?: boolean }
  | {
      readonly node: 'case';
      readonly branches: readonly (readonly [when: Expr, then: Expr])[];
      readonly otherwise: Expr;
    }
  | { readonly node: 'interval'; readonly amount: Expr; readonly unit: TimeUnit }
  | { readonly node: 'lambda'; readonly parameters: readonly string[]; readonly body: Expr }
  | { readonly node: 'parameter'; readonly name: string }
  | { readonly node: 'list'; readonly items: readonly Expr[] }
  | { readonly node: 'in'; readonly expr: Expr; readonly items: readonly Expr[]; readonly isNegated: boolean }
  | { readonly node: 'in query'; readonly args: readonly Expr[]; readonly query: Query; readonly isNegated: boolean }
  | { readonly node: 'exists'; readonly query: Query }
  | { readonly node: 'subquery'; readonly query: Query }
);

/** A physical table of the tenant, or several read as one. */
export type TableSource = {
  readonly database: string;
  readonly table: string;
  /** True when tenants share the table, so that the predicate of the tenant must be printed. */
  readonly isPooled: boolean;
  /** Rows of these log types only; undefined when the whole table may be read. */
  readonly logTypes?: { readonly kind: 'only' | 'except'; readonly names: readonly string[] };
  /** Columns read from it, by the name that the plan uses. Those that the table lacks are NULL of their type. */
  readonly columns: readonly SourceColumn[];
};

export type SourceColumn = {
  readonly name: string;
  readonly type: SqlType;
  /** Name in the physical table; undefined when the table has no such column. */
  readonly physical?: string;
  /** Key in the stored event (`p_event`) of a match. */
  readonly eventKey?: string;
  /** The same value on every row, such as the name of the database in a view over all tables. */
  readonly constant?: string;
};

export type JoinKind = 'inner' | 'left' | 'right' | 'full' | 'cross';

export type Relation =
  | {
      readonly kind: 'table';
      readonly alias: string;
      readonly sources: readonly TableSource[];
      readonly isWhole: boolean;
    }
  | { readonly kind: 'query'; readonly alias: string; readonly query: Query }
  | { readonly kind: 'cte'; readonly alias: string; readonly name: string }
  | { readonly kind: 'numbers'; readonly alias: string; readonly rows: number }
  | {
      readonly kind: 'join';
      readonly join: JoinKind;
      readonly left: Relation;
      readonly right: Relation;
      readonly on?: Expr;
    }
  | {
      readonly kind: 'flatten';
      readonly alias: string;
      readonly input: Relation;
      readonly expr: Expr;
      readonly isOuter: boolean;
    };

/** A column of a result: `id` is how the engine names it, `name` how the user does. */
export type Output = { readonly id: string; readonly name: string; readonly expr: Expr };
export type ColumnOut = { readonly id: string; readonly name: string; readonly type: SqlType };

export type Select = {
  readonly kind: 'select';
  readonly isDistinct: boolean;
  readonly outputs: readonly Output[];
  readonly from?: Relation;
  readonly where?: Expr;
  readonly groupBy: readonly Expr[];
  readonly having?: Expr;
  readonly qualify?: Expr;
  readonly orderBy: readonly OrderItem[];
};

type SetOperation = {
  readonly kind: 'set';
  readonly operation: 'union all' | 'union' | 'intersect' | 'except';
  readonly left: Query;
  readonly right: Query;
};

export type Cte = { readonly name: string; readonly query: Query };

export type Query = {
  readonly ctes: readonly Cte[];
  readonly body: Select | SetOperation;
  readonly columns: readonly ColumnOut[];
  readonly limit?: number;
  readonly offset?: number;
};
