import type { TenantTx } from '#platform/postgres';
import { type DetectionRow, type StoredDetection, toDetection } from '../detection-store.ts';
import { type ContentType, formOf } from './content-type.ts';
import type { PageFilter } from './type-operations.ts';

const likeText = (text: string): string => `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;

/** Items of one type in the order of their ids, one more than asked for when there is a next page. */
export async function listOfType(
  tx: TenantTx,
  type: ContentType,
  filter: PageFilter,
): Promise<readonly StoredDetection[]> {
  const { kind, has, lacks } = formOf(type);
  const rows = await tx.query<DetectionRow>(
    `SELECT * FROM detections
     WHERE tenant_id = $1 AND kind = $2
       AND ($3::text IS NULL OR specification ? $3) AND NOT specification ?| $4::text[]
       AND ($5::text IS NULL OR id > $5)
       AND ($6::text IS NULL OR coalesce(nullif(specification ->> 'DisplayName', ''), id) ILIKE $6)
       AND ($7::boolean IS NULL OR is_enabled = $7)
       AND (cardinality($8::text[]) = 0 OR upper(specification ->> 'Severity') = ANY ($8))
       AND (cardinality($9::text[]) = 0 OR EXISTS (
         SELECT FROM jsonb_array_elements_text(specification -> 'Tags') AS tag WHERE lower(tag) = ANY ($9)))
       AND (cardinality($10::text[]) = 0 OR specification -> 'LogTypes' ?| $10)
       AND (cardinality($11::text[]) = 0 OR specification -> 'ResourceTypes' ?| $11)
       AND (cardinality($12::text[]) = 0 OR specification -> 'ScheduledQueries' ?| $12)
       AND ($13::text IS NULL OR created_by ->> 'id' = $13)
       AND ($14::text IS NULL OR last_modified_by ->> 'id' = $14)
     ORDER BY id LIMIT $15`,
    [
      tx.tenantId,
      kind,
      has ?? null,
      lacks,
      filter.after ?? null,
      filter.nameContains === undefined ? null : likeText(filter.nameContains),
      filter.isEnabled ?? null,
      filter.severities,
      filter.tags.map((tag) => tag.toLowerCase()),
      filter.logTypes,
      filter.resourceTypes,
      filter.scheduledQueries,
      filter.createdById ?? null,
      filter.lastModifiedById ?? null,
      filter.limit + 1,
    ],
  );
  return rows.map(toDetection);
}

/** Log types of rules by their ids; a derived rule has those of its base. */
export async function findLogTypes(
  tx: TenantTx,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await tx.query<{ id: string; log_types: readonly string[] | null }>(
    `SELECT d.id, coalesce(d.specification -> 'LogTypes', base.specification -> 'LogTypes') AS log_types
     FROM detections d
     LEFT JOIN detections base ON base.tenant_id = $1 AND base.id = d.specification ->> 'BaseDetection'
     WHERE d.tenant_id = $1 AND d.id = ANY ($2::text[])`,
    [tx.tenantId, ids],
  );
  return new Map(rows.map((row) => [row.id, row.log_types ?? []]));
}
