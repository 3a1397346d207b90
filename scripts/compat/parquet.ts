import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { exportParquet } from '#lake';
import { askDuckdb } from '../bench/support/duckdb.ts';
import { fill, openBenchLake } from '../bench/support/search-lake.ts';

const end = new Date('2026-06-15T00:00:00Z');
const from = new Date('2026-05-01T00:00:00Z');

const count = `SELECT toFloat64(count()) AS n FROM t_bench`;
/** The same question to the lake and to DuckDB. */
const pairs = [
  [
    'rows of a log type',
    `${count}.logs_aws_cloudtrail`,
    "SELECT count(*) FROM exported WHERE log_type = 'AWS.CloudTrail'",
  ],
  [
    'a day by its folder',
    `${count}.logs_aws_vpcflow WHERE toDate(p_parse_time) = '2026-06-10'`,
    `SELECT count(*) FROM exported WHERE "table" = 'aws_vpcflow' AND dt = '2026-06-10'`,
  ],
  [
    'a field of an object',
    `${count}.logs_okta_systemlog WHERE outcome.result = 'FAILURE'`,
    "SELECT count(*) FROM exported WHERE log_type = 'Okta.SystemLog' AND json_extract_string(outcome, '$.result') = 'FAILURE'",
  ],
  [
    'members of a list',
    'SELECT toFloat64(sum(length(p_any_ip_addresses))) AS n FROM t_bench.logs_aws_vpcflow',
    "SELECT sum(len(p_any_ip_addresses)) FROM exported WHERE log_type = 'AWS.VPCFlow'",
  ],
  [
    'times to the millisecond',
    'SELECT toFloat64(sum(toUnixTimestamp64Milli(p_event_time))) AS n FROM t_bench.logs_aws_vpcflow',
    "SELECT sum(epoch_ms(p_event_time))::double FROM exported WHERE log_type = 'AWS.VPCFlow'",
  ],
] as const;

/** Exports a lake to Parquet and asks DuckDB for the same rows: how many, of which log types, on which days, what is in them. */
export async function runParquet(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { rows: { type: 'string', default: '150000' } } });
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-parquet-'));
  const lake = await openBenchLake(folder);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    await fill(lake, { rows: Number(values.rows), inserted: Number(values.rows), end }, say);
    const root = path.join(folder, 'exports');
    const files = await exportParquet(
      {
        client: lake.client,
        files: {
          async put(name, bytes) {
            await mkdir(path.dirname(path.join(root, name)), { recursive: true });
            await writeFile(path.join(root, name), bytes);
          },
          delete: (name) => rm(path.join(root, name)),
        },
      },
      { tables: lake.tables, from, to: end, known: [], onFile: () => undefined },
    );
    say(`${files.length} files, ${files.reduce((sum, { bytes }) => sum + bytes, 0)} bytes`);
    const view = `CREATE VIEW exported AS SELECT * FROM read_parquet('${root}/**/*.parquet', hive_partitioning = true, union_by_name = true)`;
    const duck = await askDuckdb(
      [view],
      pairs.map(([, , sql]) => sql),
      say,
    );
    if (duck === undefined) return 2;
    let wrong = 0;
    for (const [index, [name, sql]] of pairs.entries()) {
      const [row] = await lake.client.rows<{ n: number }>(sql);
      const isSame = Number(row?.n) > 0 && Number(duck.answers[index]?.last) === Number(row?.n);
      if (!isSame) wrong += 1;
      say(`${isSame ? 'ok    ' : 'WRONG '} ${name}: ${row?.n}, DuckDB ${duck.version} ${duck.answers[index]?.last}`);
    }
    return wrong === 0 ? 0 : 1;
  } finally {
    await lake.close();
    await rm(folder, { recursive: true, force: true });
  }
}
