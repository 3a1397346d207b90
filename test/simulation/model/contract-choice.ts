import { createHash } from 'node:crypto';
import type { TenantTx } from '#platform/postgres';

/** Random numbers and names of one call, the same for both databases. */
export type Choice = {
  readonly tenantId: string;
  readonly tenants: readonly string[];
  readonly numbers: readonly number[];
  /** One of `count` ids of a kind. */
  idOf(kind: string, count: number): (place: number) => string;
};

export type Call = {
  readonly name: string;
  readonly isForAll?: boolean;
  run(tx: TenantTx, choice: Choice): Promise<unknown>;
};

export const idIn =
  (prefix: string, tenantId: string, kind: string, count: number) =>
  (place: number): string => {
    const hex = createHash('sha256')
      .update(`${prefix}/${tenantId}/${kind}/${place % count}`)
      .digest('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  };

const start = Date.UTC(2026, 0, 1);
export const whole = ({ numbers }: Choice, place: number, max: number): number =>
  Math.floor((numbers[place] ?? 0) * max);
export const pick = (choice: Choice, kind: string, count: number, place = 0): string =>
  choice.idOf(kind, count)(whole(choice, place, count));
export const hex32 = (id: string): string => id.replaceAll('-', '');
export const minutes = (count: number): Date => new Date(start + count * 60_000);
/** Time that has passed already, or is far away: the databases need not have the same clock. */
export const seconds = (choice: Choice, place: number): number => (whole(choice, place, 2) === 0 ? -10 : 3600);
/** Rows whose order is not promised. */
export async function sorted(rows: Promise<readonly object[]>): Promise<readonly string[]> {
  return (await rows).map((row) => JSON.stringify(row)).toSorted();
}
