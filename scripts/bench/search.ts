/** How fast a mixed lake answers the questions of people, and what it stores; DuckDB over Parquet of the same rows beside it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServerQueryEngine, type QueryEngine } from '#lake';
import { buildCatalogue, compileSql, defaultLimits, engineSettings, type LogTypeSchema, printQuery } from '#search';
import { type Benchmark, percentile, wholeOption } from './support/benchmark.ts';
import { type Asked, askDuckdb } from './support/duckdb.ts';
import {
  type BenchLake,
  benchTenant,
  days,
  fill,
  fillWatchlist,
  merged,
  openBenchLake,
  storedBytes,
  writeParquet,
} from './support/search-lake.ts';
import { createDraw } from './support/search-rows.ts';

type Question = { readonly name: string; readonly margay: string; readonly duckdb: string };

const weekMs = 7 * 86_400_000;

/** Each kind of question with new values, in the language of users and in DuckDB's. */
function questions(end: Date, draw: ReturnType<typeof createDraw>): readonly Question[] {
  const from = new Date(end.getTime() - weekMs).toISOString();
  const week = `p_event_time BETWEEN '${from}' AND '${end.toISOString()}'`;
  const duckWeek = `p_event_time BETWEEN TIMESTAMPTZ '${from}' AND TIMESTAMPTZ '${end.toISOString()}'`;
  const address = draw.address();
  const eventName = `GetThing${draw.below(50) * 4}`;
  const user = `user-${draw.skewed(5000)}`;
  const agent = `Boto3/1.${100 + draw.below(400)}`;
  const both = (name: string, margay: string, duckdb = margay): Question => ({
    name,
    margay: margay.replaceAll('WEEK', week),
    duckdb: duckdb.replaceAll('WEEK', duckWeek),
  });
  const indicator = (table: string): string =>
    `SELECT p_event_time, p_log_type, p_row_id FROM ${table} WHERE WEEK AND list_contains(p_any_ip_addresses, '${address}')`;
  return [
    both(
      'indicator',
      `SELECT p_event_time, p_log_type, p_row_id FROM panther_views.public.all_logs WHERE WEEK AND ARRAY_CONTAINS('${address}', p_any_ip_addresses) ORDER BY p_event_time DESC LIMIT 1000`,
      `${['aws_cloudtrail', 'aws_vpcflow', 'okta_systemlog'].map(indicator).join(' UNION ALL ')} ORDER BY p_event_time DESC LIMIT 1000`,
    ),
    both('field', `SELECT count(*) FROM aws_cloudtrail WHERE WEEK AND eventName = '${eventName}'`),
    both(
      'nested',
      `SELECT count(*) FROM aws_cloudtrail WHERE WEEK AND userIdentity:userName = '${user}'`,
      `SELECT count(*) FROM aws_cloudtrail WHERE WEEK AND json_extract_string(userIdentity, '$.userName') = '${user}'`,
    ),
    both('substring', `SELECT count(*) FROM aws_cloudtrail WHERE WEEK AND userAgent LIKE '%${agent}%'`),
    both(
      'groupBy',
      `SELECT userIdentity:arn::string AS who, count(*) AS n FROM aws_cloudtrail WHERE WEEK AND eventName = '${eventName}' GROUP BY who ORDER BY n DESC, who LIMIT 10`,
      `SELECT json_extract_string(userIdentity, '$.arn') AS who, count(*) AS n FROM aws_cloudtrail WHERE WEEK AND eventName = '${eventName}' GROUP BY who ORDER BY n DESC, who LIMIT 10`,
    ),
    both(
      'histogram',
      `SELECT time_slice(p_event_time, 3600, 'SECOND') AS hour, count(*) AS n FROM aws_vpcflow WHERE action = 'REJECT' GROUP BY hour ORDER BY hour`,
      `SELECT time_bucket(INTERVAL 1 hour, p_event_time) AS hour, count(*) AS n FROM aws_vpcflow WHERE action = 'REJECT' GROUP BY hour ORDER BY hour`,
    ),
    both(
      'lookupJoin',
      'SELECT count(*) FROM (SELECT dstAddr FROM aws_vpcflow WHERE WEEK) f JOIN custom_watchlist w ON f.dstAddr = w.address',
    ),
  ];
}

async function ask(lake: BenchLake, engine: QueryEngine, sql: string, now: Date): Promise<Asked> {
  const began = performance.now();
  const schemas: readonly LogTypeSchema[] = lake.tables.map(({ logType, columns }) => ({
    logType,
    description: '',
    fields: columns.map(({ name, type }) => ({ name, type })),
  }));
  const catalogue = buildCatalogue({ tables: lake.tables, schemas, access: { kind: 'ALLOW_ALL' } });
  const { query } = await compileSql(sql, { catalogue, now });
  const printed = printQuery(query, { tenantId: benchTenant, rowsMax: defaultLimits.rowsMax });
  const options = {
    queryId: crypto.randomUUID(),
    settings: engineSettings(defaultLimits),
    signal: new AbortController().signal,
    tables: printed.reads,
  };
  const lines: string[] = [];
  for await (const some of engine.lines(printed.sql, options)) lines.push(...some.filter((line) => line !== ''));
  const [first = '[]'] = lines;
  return {
    milliseconds: performance.now() - began,
    rows: lines.length,
    last: String((JSON.parse(first) as (string | number | null)[]).at(-1) ?? 'None'),
  };
}

const rounded = (value: number | null | undefined): number | null =>
  value === null || value === undefined ? null : Math.round(value);

type Step = { readonly lake: BenchLake; readonly folder: string; readonly end: Date; readonly runs: number };

async function measure({ lake, folder, end, runs }: Step, say: (line: string) => void) {
  const draw = createDraw(7);
  const asked = Array.from({ length: runs + 1 }, () => questions(end, draw)).flat();
  const server = createServerQueryEngine(lake.client);
  const answers = { whole: [] as Asked[], engine: [] as Asked[] };
  for (const { margay } of asked) {
    answers.whole.push(await ask(lake, lake.readers, margay, end));
    answers.engine.push(await ask(lake, server, margay, end));
  }
  say('Writing Parquet for DuckDB …');
  const parquet = await writeParquet(lake, path.join(folder, 'parquet'), end, say);
  const statements = asked.map(({ duckdb }) => duckdb);
  const duck = await askDuckdb(parquet.views, statements, say);
  const problems = asked.flatMap(({ name, margay }, index) => {
    const [own, other] = [answers.whole[index], duck?.answers[index]];
    const isSame =
      other === undefined || (own?.rows === other.rows && (name === 'indicator' || own.last === other.last));
    return isSame
      ? []
      : [`${name}: ${own?.rows} rows and ${own?.last}, DuckDB ${other?.rows} and ${other?.last}: ${margay}`];
  });
  // The first round warms up.
  const times = (list: readonly Asked[] | undefined, name: string): readonly number[] =>
    (list ?? [])
      .filter((_, index) => index >= asked.length / (runs + 1) && asked[index]?.name === name)
      .map(({ milliseconds }) => milliseconds);
  const names = [...new Set(asked.map(({ name }) => name))];
  const figures = Object.fromEntries(
    names.map((name) => {
      const [whole, engine, other] = [
        times(answers.whole, name),
        times(answers.engine, name),
        times(duck?.answers, name),
      ];
      return [
        name,
        {
          p50Ms: rounded(percentile(whole, 0.5)),
          p95Ms: rounded(percentile(whole, 0.95)),
          engineP50Ms: rounded(percentile(engine, 0.5)),
          engineP95Ms: rounded(percentile(engine, 0.95)),
          duckdbP50Ms: rounded(percentile(other, 0.5)),
          duckdbP95Ms: rounded(percentile(other, 0.95)),
        },
      ];
    }),
  );
  return {
    figures: { queries: figures, parquetBytes: parquet.bytes, duckdb: duck?.version ?? null },
    problems: [...new Set(problems)].slice(0, 10),
  };
}

export const benchmark: Benchmark = {
  summary: 'inserts, bytes on disk and the usual questions over a mixed lake, DuckDB over Parquet beside it',
  options: {
    rows: { type: 'string', default: '1000000' },
    // So many rows go the way of production, the others are varied copies of them that the engine makes.
    inserted: { type: 'string', default: '500000' },
    runs: { type: 'string', default: '20' },
  },
  async run({ options, say }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'margay-search-'));
    const lake = await openBenchLake(folder);
    try {
      const [rows, inserted] = [wholeOption(options, 'rows'), wholeOption(options, 'inserted')];
      const runs = wholeOption(options, 'runs');
      // The last thirty days before a fixed Monday: which parts there are does not depend on the day of the run.
      const end = new Date('2026-06-15T00:00:00Z');
      say(`Filling ${rows} rows over ${days} days …`);
      const filled = await fill(lake, { rows, inserted, end }, say);
      await fillWatchlist(lake, end);
      await merged(lake, say);
      const stored = await storedBytes(lake);
      say(`${filled.rows} rows, ${Math.round(filled.rawBytes / 1e6)} MB raw, ${Math.round(stored / 1e6)} MB stored.`);
      const { figures, problems } = await measure({ lake, folder, end, runs }, say);
      return {
        figures: {
          rows: filled.rows,
          rawMegabytes: Math.round(filled.rawBytes / 1e6),
          insertedRows: filled.inserted.rows,
          insertMegabytesPerSecond: Math.round((filled.inserted.rawBytes / 1e6 / filled.inserted.seconds) * 10) / 10,
          storedMegabytes: Math.round(stored / 1e6),
          storedShareOfRaw: Math.round((stored / filled.rawBytes) * 1000) / 1000,
          walls: lake.readers.walls.kind,
          ...figures,
        },
        problems,
      };
    } finally {
      await lake.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};
