import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commands } from '#cli';
import { startTestDeployment } from '../support/deployment.ts';

/** The command that writes enrichment into the events of unit tests. */

const deployment = await startTestDeployment();
const tenant = await deployment.tenant('enrich');
const folder = await mkdtemp(path.join(tmpdir(), 'margay-enrich-'));
afterAll(async () => {
  await deployment.stop();
  await rm(folder, { recursive: true, force: true });
});

const rule = `AnalysisType: rule   # kept
RuleID: Enrich.Me
Enabled: true
LogTypes: [Custom.Door]
Severity: Low
Detection: [{ Condition: AlwaysTrue }]
Tests:
  - Name: 'one'
    ExpectedResult: true
    Log:
      ip:  "1.2.3.4" # odd spaces
  - { Name: two, ExpectedResult: true, Log: { p_log_type: Custom.Gate, ip: 5.6.7.8 } }
`;
const file = path.join(folder, 'rule.yml');

async function run(url: string): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  await writeFile(file, rule);
  const lines: string[] = [];
  const command = commands.find(({ name }) => name === 'enrich-test-data');
  const code = await command?.run(['--path', folder], {
    environment: { MARGAY_URL: url, MARGAY_API_TOKEN: tenant.token },
    say: (line) => lines.push(line),
  });
  return { code: code ?? -1, lines };
}

test('where nothing enriches, files stay as they are', async () => {
  const { code, lines } = await run(deployment.url);
  expect([code, lines]).toEqual([0, ['2 events of 1 files: 0 enriched, 0 files changed, 0 files not done']]);
  expect(await readFile(file, 'utf8')).toBe(rule);
});

test('where a table would, the API refuses to guess, and the command says why', async () => {
  const table = `AnalysisType: lookup_table\nLookupName: doors\nEnabled: true\nSchema: Custom.Doors\nFilename: doors.csv\nLogTypeMap: { PrimaryKey: ip, AssociatedLogTypes: [{ LogType: Custom.Door, Selectors: [ip] }] }\n`;
  await deployment.services.detections.save(tenant.actor, { specification: table, body: '' });
  const { code, lines } = await run(deployment.url);
  expect(code).toBe(1);
  expect(lines[0]).toMatch(
    /rule\.yml: Events of Custom\.Door would be enriched from doors, which this version does not do/,
  );
  expect(await readFile(file, 'utf8')).toBe(rule);
  const other = await tenant.ask(
    '{ generateEnrichedEvent(input: {event: {p_log_type: "Custom.Gate", n: 1}}) { enrichedEvent } }',
  );
  expect(other.data).toEqual({ generateEnrichedEvent: { enrichedEvent: { p_log_type: 'Custom.Gate', n: 1 } } });
});

test('what an API adds is written into the events, and the rest of the file stays', async () => {
  const asked: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { variables } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as {
      variables: Record<string, { ip: string }>;
    };
    asked.push(...Object.values(variables));
    const data = Object.fromEntries(
      Object.entries(variables).map(([name, event]) => [
        name,
        {
          enrichedEvent: {
            ...event,
            other: 'not written',
            p_enrichment: event.ip === '1.2.3.4' ? { t: { ip: { x: 1 } } } : {},
          },
        },
      ]),
    );
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    const { code, lines } = await run(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
    expect([code, lines]).toEqual([0, ['2 events of 1 files: 1 enriched, 1 files changed, 0 files not done']]);
  } finally {
    server.close();
  }
  expect(asked).toEqual([
    { p_log_type: 'Custom.Door', ip: '1.2.3.4' },
    { p_log_type: 'Custom.Gate', ip: '5.6.7.8' },
  ]);
  const enrichment = '      p_enrichment:\n        t:\n          ip:\n            x: 1\n';
  expect(await readFile(file, 'utf8')).toBe(rule.replace('      ip:  "1', `${enrichment}      ip:  "1`));
});
