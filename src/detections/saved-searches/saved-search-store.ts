import type { TenantTx } from '#platform/postgres';
import { queryOf } from '../content/types/query.ts';
import { type DetectionRow, findDetection, type StoredDetection, toDetection } from '../detection-store.ts';

export type SearchFilter = {
  readonly contains: string | undefined;
  readonly tags: readonly string[];
  readonly after: string | undefined;
  readonly limit: number;
};

const likeText = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/** Saved and scheduled searches in the order of their names. */
export async function listSearches(tx: TenantTx, filter: SearchFilter): Promise<readonly StoredDetection[]> {
  const rows = await tx.query<DetectionRow>(
    `SELECT * FROM detections WHERE tenant_id = $1 AND kind IN ('SAVED_QUERY', 'SCHEDULED_QUERY')
       AND ($2::text IS NULL OR id > $2)
       AND ($3::text IS NULL OR id ILIKE $3 OR specification ->> 'Description' ILIKE $3)
       AND (cardinality($4::text[]) = 0 OR specification -> 'Tags' ?| $4)
     ORDER BY id LIMIT $5`,
    [
      tx.tenantId,
      filter.after ?? null,
      filter.contains === undefined ? null : likeText(filter.contains),
      filter.tags,
      filter.limit,
    ],
  );
  return rows.map(toDetection);
}

/** Text of a saved search by its name, for searches that import from it; undefined when there is none. */
export async function findSearchText(tx: TenantTx, name: string): Promise<string | undefined> {
  const found = await findDetection(tx, name);
  return found?.spec.AnalysisType === 'saved_query' || found?.spec.AnalysisType === 'scheduled_query'
    ? queryOf(found.spec)
    : undefined;
}
