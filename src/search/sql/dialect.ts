import type { TimeUnit } from '../plan/plan.ts';

/** Languages that end in the same plan. What one of them means differently stands here; its functions in the catalogue. */
export const dialectNames = ['snowflake', 'clickhouse'] as const;
export type DialectName = (typeof dialectNames)[number];

export type Dialect = {
  readonly name: DialectName;
  /** Where NULL stands in an order that does not say so. */
  nullsFirst(isDescending: boolean): boolean;
  /** The escape character of LIKE without ESCAPE. */
  readonly likeEscape: string | undefined;
  /** What a number beside a timestamp counts, and the difference of two. */
  readonly timestampUnit: TimeUnit;
};

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  snowflake: {
    name: 'snowflake',
    nullsFirst: (isDescending) => isDescending,
    likeEscape: undefined,
    timestampUnit: 'day',
  },
  clickhouse: { name: 'clickhouse', nullsFirst: () => false, likeEscape: '\\', timestampUnit: 'second' },
};

const pragma = /^\s*--\s*pragma:\s*clickhouse\s*$/m;

/** The language of a text: what was asked for, else what the text says about itself. */
export const dialectOf = (sql: string, wanted?: DialectName | null): DialectName =>
  wanted ?? (pragma.test(sql) ? 'clickhouse' : 'snowflake');
