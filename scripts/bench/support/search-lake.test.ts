import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BenchLake, type Filled, fill, openBenchLake, pieces } from './search-lake.ts';

const end = new Date('2026-06-15T00:00:00Z');
let folder: string;
let lake: BenchLake;
let filled: Filled;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'margay-search-test-'));
  lake = await openBenchLake(folder);
  filled = await fill(lake, { rows: 10_000, inserted: 3000, end }, () => undefined);
}, 120_000);

afterAll(async () => {
  await lake?.close();
  await rm(folder, { recursive: true, force: true });
});

const tables = ['logs_aws_cloudtrail', 'logs_aws_vpcflow', 'logs_okta_systemlog'];

async function numberOf(what: string, table: string): Promise<number> {
  const [row] = await lake.client.rows<{ n: number }>(`SELECT toFloat64(${what}) AS n FROM t_bench.${table}`);
  return row?.n ?? Number.NaN;
}

test('pieces follow each other through the thirty days and the last is what is left', () => {
  const [first, second, third] = pieces(25, 10, end);
  expect([first?.rows, second?.rows, third?.rows]).toEqual([10, 10, 5]);
  expect(first?.from).toBe(end.getTime() - 30 * 86_400_000);
  expect([second?.from, third?.from, third?.to]).toEqual([first?.to, second?.to, end.getTime()]);
});

test('there are as many rows as were asked for, and every one has an id of its own', async () => {
  expect(filled).toMatchObject({ rows: 10_000, inserted: { rows: 3000 } });
  expect(filled.rawBytes / filled.inserted.rawBytes).toBeCloseTo(10 / 3, 1);
  for (const [index, rows] of [4000, 4000, 2000].entries()) {
    expect(await numberOf('count()', tables[index] ?? '')).toBe(rows);
    expect(await numberOf('uniqExact(p_row_id)', tables[index] ?? '')).toBe(rows);
    expect(await numberOf('countIf(length(p_row_id) = 32)', tables[index] ?? '')).toBe(rows);
    // Copies do not sit on the times of their originals.
    expect(await numberOf('uniqExact(p_event_time)', tables[index] ?? '')).toBeGreaterThan(rows * 0.99);
    expect(await numberOf('uniqExact(toDate(p_parse_time))', tables[index] ?? '')).toBe(30);
  }
});

test('a copy shares no id with another row, and its indicators say what its fields say', async () => {
  expect(await numberOf('uniqExact(eventID, requestID, requestParameters)', 'logs_aws_cloudtrail')).toBe(4000);
  expect(await numberOf('uniqExact(eventID)', 'logs_aws_cloudtrail')).toBe(4000);
  expect(await numberOf('uniqExact(uuid)', 'logs_okta_systemlog')).toBe(2000);
  expect(
    await numberOf(
      `countIf(p_any_ip_addresses = [sourceIPAddress] AND p_any_trace_ids = [eventID] AND eventTime = p_event_time
        AND p_any_usernames = [userIdentity.userName::String] AND p_any_aws_arns = [userIdentity.arn::String]
        AND endsWith(userIdentity.principalId::String, userIdentity.userName::String)
        AND p_any_aws_account_ids = [recipientAccountId] AND userIdentity.accountId::String = recipientAccountId)`,
      'logs_aws_cloudtrail',
    ),
  ).toBe(4000);
  expect(
    await numberOf(
      'countIf(p_any_ip_addresses = [srcAddr, dstAddr] AND p_any_aws_account_ids = [account] AND start = p_event_time)',
      'logs_aws_vpcflow',
    ),
  ).toBe(4000);
  expect(
    await numberOf(
      `countIf(p_any_ip_addresses = [client.ipAddress::String] AND p_any_trace_ids = [uuid] AND published = p_event_time
        AND p_any_usernames = [actor.displayName::String] AND p_any_emails = [actor.alternateId::String])`,
      'logs_okta_systemlog',
    ),
  ).toBe(2000);
});

test('values of copies have the shapes of those that were inserted', async () => {
  const shape = (column: string): string =>
    `replaceRegexpAll(replaceRegexpAll(assumeNotNull(${column}), '[0-9a-f]{8,}|[0-9A-F]{8,}', 'h'), '[0-9]+', '0')`;
  const kinds = async (column: string, table: string): Promise<number> =>
    numberOf(`uniqExact(${shape(column)})`, table);
  for (const column of ['requestParameters', 'sourceIPAddress'])
    expect(await kinds(column, 'logs_aws_cloudtrail')).toBeLessThanOrEqual(2);
  expect(await numberOf("countIf(match(eventID, '^.{8}-.{4}-4.{3}-a.{3}-[0-9a-f]{12}$'))", 'logs_aws_cloudtrail')).toBe(
    4000,
  );
  expect(await numberOf('uniqExact(JSONAllPathsWithTypes(userIdentity))', 'logs_aws_cloudtrail')).toBe(1);
  expect(await numberOf('uniqExact(JSONAllPathsWithTypes(client))', 'logs_okta_systemlog')).toBe(1);
  expect(await numberOf("countIf(match(interfaceId, '^eni-[0-9a-f]{17}$'))", 'logs_aws_vpcflow')).toBe(4000);
});
