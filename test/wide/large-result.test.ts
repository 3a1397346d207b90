import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test, vi } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';

const rows = 1_000_000;
const deployment = await startTestDeployment();
const tenant = await deployment.tenant('large');
afterAll(() => deployment.stop());

/** The process that serves the API of this deployment. */
function apiProcess(): string {
  const found = readdirSync('/proc').find((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('roles/main.ts') && line.includes('api,ingest') && isOurs(pid);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error('There is no API process.');
  return found;
}

const isOurs = (pid: string): boolean =>
  / \(.*\) . (\d+) /s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] === String(process.pid);

const kibibytes = (pid: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** Runs the work and says how much the process grew at most meanwhile, in mebibytes. */
async function growthOf(pid: string, work: () => Promise<void>): Promise<number> {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  const before = kibibytes(pid, 'VmRSS');
  await work();
  return Math.round((kibibytes(pid, 'VmHWM') - before) / 1024);
}

type Page = { results: { edges: { node: { n: number } }[]; pageInfo: { endCursor: string | null } } };

test(
  'a million rows are paged and downloaded, and the process that serves them hardly grows',
  { timeout: 600_000 },
  async () => {
    const sql = `select seq4() as n, 'row number ' || seq4()::string as note, p_current_timestamp() as t from table(generator(rowcount => ${rows}))`;
    const started = await tenant.ask(
      'mutation ($input: ExecuteDataLakeQueryInput!) { executeDataLakeQuery(input: $input) { id } }',
      {
        input: { sql },
      },
    );
    const { id } = started.data?.['executeDataLakeQuery'] as { id: string };
    const state = async () =>
      (await tenant.ask(`{ dataLakeQuery(id: "${id}") { status message progress { rowCount } } }`)).data?.[
        'dataLakeQuery'
      ];
    await vi.waitFor(
      async () => expect(await state()).toMatchObject({ status: 'succeeded', progress: { rowCount: rows } }),
      {
        timeout: 120_000,
        interval: 500,
      },
    );
    const pid = apiProcess();
    const figures: Record<string, unknown> = {};
    let sum = 0;
    let seen = 0;
    const pagesAt = performance.now();
    figures['pagesGrowthMiB'] = await growthOf(pid, async () => {
      for (let cursor: string | null = ''; cursor !== null;) {
        const answer = await tenant.ask(
          `{ dataLakeQuery(id: "${id}") { results(input: {pageSize: 999, cursor: "${cursor}"}) { edges { node } pageInfo { endCursor } } } }`,
        );
        const { results } = answer.data?.['dataLakeQuery'] as Page;
        for (const { node } of results.edges) sum += node.n;
        seen += results.edges.length;
        cursor = results.pageInfo.endCursor;
      }
    });
    figures['pagesSeconds'] = Math.round((performance.now() - pagesAt) / 1000);
    expect([seen, sum]).toEqual([rows, (rows * (rows - 1)) / 2]);
    for (const format of ['csv', 'jsonl', 'parquet']) {
      let bytes = 0;
      const startedAt = performance.now();
      figures[`${format}GrowthMiB`] = await growthOf(pid, async () => {
        const response = await fetch(`${deployment.url}/data-lake-queries/${id}/results?format=${format}`, {
          headers: { 'x-api-key': tenant.token },
        });
        expect(response.status).toBe(200);
        for await (const chunk of response.body ?? []) bytes += chunk.length;
      });
      figures[`${format}Bytes`] = bytes;
      figures[`${format}Seconds`] = Math.round((performance.now() - startedAt) / 100) / 10;
      expect(bytes).toBeGreaterThan(1_000_000);
      expect(figures[`${format}GrowthMiB`]).toBeLessThan(250);
    }
    process.stdout.write(`${JSON.stringify(figures)}\n`);
  },
);
