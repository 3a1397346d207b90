import { hashId } from '#platform/ids';

/**
 * How rows are named. `numbered`: the rows of a body share twenty digits, the rest is their place in it, so that the
 * lake stores an id in four bytes and not in sixteen (decision 0040). Without it every digit is of a hash.
 */
export type RowIds = 'numbered';

type Body = {
  readonly tenantId: string;
  readonly batchId: string;
  readonly part: number;
  readonly rowIds?: RowIds;
};

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

/**
 * Names the rows of a body: 32 hexadecimal digits from the offset of the record and the number of the event in it, which
 * is zero for the record itself. The same place always has the same name, no two places of a tenant have one.
 */
export function rowIdsOf({ tenantId, batchId, part, rowIds }: Body): (offset: number, event?: number) => string {
  const hashed = (offset: number, event: number): string =>
    hashId(tenantId, batchId, String(part), String(offset), ...(event === 0 ? [] : [String(event)]));
  if (rowIds === undefined) return (offset, event = 0) => hashed(offset, event);
  const body = hashId(tenantId, batchId, String(part)).slice(0, 20);
  return (offset, event = 0) =>
    offset < 2 ** 32 && event < 2 ** 16 ? `${body}${hex(offset, 8)}${hex(event, 4)}` : hashed(offset, event);
}
