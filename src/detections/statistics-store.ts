import type { TenantTx, Tx } from '#platform/postgres';
import type { RuleStatistics } from './sandbox/sandbox-contract.ts';

export type HourlyStatistics = Omit<RuleStatistics, 'ruleId'> & { readonly ruleId: string; readonly hour: Date };

/** Adds what the rules of a batch did to their counts of the hour. */
export async function addStatistics(tx: TenantTx, at: Date, statistics: readonly RuleStatistics[]): Promise<void> {
  if (statistics.length === 0) return;
  const rows = statistics.map(({ ruleId, runs, sampledMicroseconds, matches, errors }) => ({
    id: ruleId,
    runs,
    micros: Math.round(sampledMicroseconds),
    matches,
    errors,
  }));
  // Sorted, so that two batches never wait for one another crosswise.
  await tx.execute(
    `INSERT INTO detection_statistics AS s (tenant_id, detection_id, hour, runs, sampled_microseconds, matches, errors)
     SELECT $1, id, date_trunc('hour', $2::timestamptz), sum(runs), sum(micros), sum(matches), sum(errors)
       FROM jsonb_to_recordset($3::jsonb) AS item (id text, runs bigint, micros bigint, matches bigint, errors bigint)
       GROUP BY id ORDER BY id
     ON CONFLICT (tenant_id, detection_id, hour) DO UPDATE SET runs = s.runs + excluded.runs,
       sampled_microseconds = s.sampled_microseconds + excluded.sampled_microseconds,
       matches = s.matches + excluded.matches, errors = s.errors + excluded.errors`,
    [tx.tenantId, at, JSON.stringify(rows)],
  );
}

const statisticsRowsMax = 20_000;

/** Counts by hour since a moment, of one detection or of all, newest first. */
export async function listStatistics(
  tx: TenantTx,
  since: Date,
  id: string | undefined,
): Promise<readonly HourlyStatistics[]> {
  const rows = await tx.query<{
    detection_id: string;
    hour: Date;
    runs: string;
    sampled_microseconds: string;
    matches: string;
    errors: string;
  }>(
    `SELECT * FROM detection_statistics WHERE tenant_id = $1 AND hour >= date_trunc('hour', $2::timestamptz)
       AND ($3::text IS NULL OR detection_id = $3) ORDER BY hour DESC, detection_id LIMIT ${statisticsRowsMax}`,
    [tx.tenantId, since, id ?? null],
  );
  return rows.map((row) => ({
    ruleId: row.detection_id,
    hour: row.hour,
    runs: Number(row.runs),
    sampledMicroseconds: Number(row.sampled_microseconds),
    matches: Number(row.matches),
    errors: Number(row.errors),
  }));
}

const statisticsKeptDays = 90;

/** Deletes counts that nobody looks at any more. Returns how many. */
export async function deleteOldStatistics(tx: Tx): Promise<number> {
  return tx.execute(`DELETE FROM detection_statistics WHERE hour < now() - interval '${statisticsKeptDays} days'`);
}
