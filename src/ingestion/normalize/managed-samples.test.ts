import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { compileSchema } from '../schemas/compiled-schema.ts';
import { managedSchemas } from '../schemas/managed-schemas.ts';
import type { FieldSpec, SchemaSpec, ValueSpec } from '../schemas/schema-spec.ts';
import { normalizeBody } from './normalize.ts';

const context = {
  tenantId: 't',
  batchId: 'b',
  part: 0,
  sourceId: 's',
  sourceLabel: 'label',
  parseTime: new Date('2026-03-02T00:00:00.000Z'),
};

const text = readFileSync(path.resolve(import.meta.dirname, '../../../test/fixtures/log-samples.txt'), 'utf8');
const records = text
  .trimEnd()
  .split('\n')
  .map((line) => {
    const space = line.indexOf(' ');
    return { logType: line.slice(0, space), record: line.slice(space + 1) };
  });
const samples = Map.groupBy(records, ({ logType }) => logType);

function rowsOf(logType: string) {
  const body = (samples.get(logType) ?? []).map(({ record }) => record).join('\n');
  const own = [managedSchemas().get(logType)?.compiled].filter((found) => found !== undefined);
  const { logs, failures } = normalizeBody(Buffer.from(body), { type: 'Auto', options: {} }, own, context);
  const lines = logs.flatMap((log) => log.rows.toString().trimEnd().split('\n'));
  return { failures, rows: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

const specs = [...managedSchemas().values()].map(({ specText }) => parse(specText) as SchemaSpec);

const someField = (fields: readonly FieldSpec[], wanted: (spec: ValueSpec) => boolean): boolean =>
  fields.some((field) => {
    const inner = field.fields ?? field.element?.fields;
    return wanted(field) || (inner !== undefined && someField(inner, wanted));
  });

/** Lists and profiles: their rows are no events. */
const timeless = new Set([
  'Anomali.Indicator',
  'GSuite.DirectoryUsers',
  'GitHub.Webhook',
  'GreyNoise.API.Noise',
  'GreyNoise.API.V3',
  'GreyNoise.Noise',
  'GreyNoise.RIOT',
  'IPInfo.ASNCIDR',
  'IPInfo.ASNRanges',
  'IPInfo.LocationCIDR',
  'IPInfo.LocationRanges',
  'IPInfo.PrivacyCIDR',
  'IPInfo.PrivacyRanges',
  'Kandji.Endpoint',
  'MISP.WarningListsCIDR',
  'OTX.Pulses',
  'Okta.Devices',
  'Okta.Users',
  'Tor.ExitNode',
  'TrailDiscover.CloudTrail',
]);

test.each(specs.map((spec) => [spec.schema, spec] as const))('%s is a good schema', (name, spec) => {
  const managed = managedSchemas().get(name);
  const result = compileSchema(managed?.specText ?? '');
  expect('problems' in result ? result.problems : []).toEqual([]);
  expect(managed).toMatchObject({ name, description: spec.description, referenceUrl: spec.referenceURL ?? '' });
  expect(spec.description).toMatch(/^[A-Z].*\.$/);
  expect(someField(spec.fields, ({ isEventTime }) => isEventTime === true)).toBe(!timeless.has(name));
});

test('a log type is named once, and records without a mark of their type are refused', () => {
  expect(new Set(specs.map(({ schema }) => schema)).size).toBe(specs.length);
  const open = specs.filter(({ fields }) => !fields.some(({ required }) => required)).map(({ schema }) => schema);
  expect(open).toEqual(['Proofpoint.Event', 'Salesforce.RealtimeEvent']);
});

test.each([...samples.keys()])('a record of %s becomes a row with the time of its event', (logType) => {
  const { rows, failures } = rowsOf(logType);
  expect(failures).toEqual([]);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    expect(row['p_log_type']).toBe(logType);
    if (!timeless.has(logType)) expect(row['p_event_time']).toMatch(/^2026-03-01T/);
  }
});

describe('what the built-in parsers read', () => {
  test.each([
    [
      'AWS.ALB',
      {
        clientIp: '192.0.2.10',
        clientPort: 40022,
        targetIp: '10.0.1.7',
        requestHttpMethod: 'GET',
        requestUrl: 'https://shop.example.com:443/cart?id=7',
        requestHttpVersion: 'HTTP/2.0',
        actionsExecuted: ['waf', 'forward'],
        targetPortList: ['10.0.1.7:8080'],
        p_any_ip_addresses: ['10.0.1.7', '192.0.2.10'],
        p_any_domain_names: ['shop.example.com'],
        p_any_aws_account_ids: ['111122223333'],
      },
    ],
    [
      'AWS.AuroraMySQLAudit',
      { object: 'SELECT id, name FROM customers WHERE city = "Ulm"', retCode: 0, connectionId: 42 },
    ],
    [
      'AWS.S3ServerAccess',
      {
        key: 'a%20file.txt',
        bytessent: 3_000_000_000,
        additionalFields: ['arn:aws:s3:eu-west-1:111122223333:accesspoint/one', 'Yes'],
        p_any_aws_arns: ['arn:aws:iam::111122223333:user/ada'],
      },
    ],
    [
      'CiscoUmbrella.DNS',
      { domain: 'www.example.com', identities: ['host-1', 'Office'], categories: ['Search Engines', 'Portals'] },
    ],
    ['CiscoUmbrella.Proxy', { statusCode: 200, categories: ['News', 'Media'], destinationIp: '192.0.2.44' }],
    [
      'Syslog.RFC3164',
      {
        priority: 86,
        facility: 10,
        severity: 6,
        hostname: 'host-1',
        appname: 'sshd',
        procid: '42',
        timestamp: '2026-03-01T10:00:00.000Z',
      },
    ],
    [
      'Syslog.RFC5424',
      {
        severity: 5,
        message: 'An application event',
        structured_data: { 'exampleSDID@32473': { iut: '3', eventSource: 'Appli"cation' } },
      },
    ],
    [
      'Heroku.Runtime',
      { procid: 'router', path: '/cart', status: 200, bytes: 1042, p_any_ip_addresses: ['192.0.2.10'] },
    ],
    ['Linux.Auditd', { type: 'SYSCALL', sequence: 4711, exe: '/usr/bin/id', auid: '1000' }],
    [
      'Amazon.EKS.Authenticator',
      { msg: 'access granted', p_any_aws_account_ids: ['111122223333'], p_any_usernames: ['kubernetes-admin'] },
    ],
    ['Juniper.Audit', { username: 'ada', login_ip: '192.0.2.10', message: 'Logged in' }],
    ['Juniper.Firewall', { event: '[12.5] Dropped', SYN: true, RST: false, DPT: 22 }],
    [
      'GSuite.ActivityEvent',
      { type: 'login', name: 'login_success', parameters: { login_type: 'saml', is_suspicious: false } },
    ],
    [
      'Crowdstrike.FDREvent',
      { fdr_event_type: 'ProcessRollup2', event: { CommandLine: 'whoami' }, p_any_ip_addresses: ['192.0.2.10'] },
    ],
    ['AWS.TransitGatewayFlow', { srcAddr: '10.0.1.7', dstPort: 443, logStatus: 'OK' }],
    [
      'AWS.CloudTrailInsight',
      { eventId: 'a9edc959-9488-4790-be0f-05d60e56b547', p_any_trace_ids: ['c2806063-d85d-42c3-9027-d2c56a477314'] },
    ],
    ['Zscaler.ZPA.AuditLog', { AuditNewValue: { id: '1' } }],
  ])('%s', (logType, expected) => {
    expect(rowsOf(logType).rows[0]).toMatchObject(expected);
  });

  test('rows of one record have ids of their own, the same on every try', () => {
    const [first, second] = [rowsOf('GSuite.ActivityEvent').rows, rowsOf('GSuite.ActivityEvent').rows];
    expect(first).toEqual(second);
    expect(new Set(first.map((row) => row['p_row_id'])).size).toBe(2);
  });

  test("a line of December read in January is last year's", () => {
    const schema = managedSchemas().get('Syslog.RFC3164')?.compiled;
    const decode = (parseTime: string, line: string) => schema?.forBatch(new Date(parseTime)).decodeText(line);
    expect(decode('2027-01-01T00:10:00Z', '<13>Dec 31 23:59:59 host-1 app: x')).toMatchObject({
      decoded: { eventTimeMs: Date.parse('2026-12-31T23:59:59Z') },
    });
    expect(decode('2026-12-31T23:59:00Z', '<13>Jan  1 00:00:01 host-1 app: x')).toMatchObject({
      decoded: { eventTimeMs: Date.parse('2026-01-01T00:00:01Z') },
    });
  });
});
