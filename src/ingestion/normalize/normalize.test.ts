import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompiledSchema, compileSchema } from '../schemas/compiled-schema.ts';
import { managedSchemas } from '../schemas/managed-schemas.ts';
import type { LogStreamType } from '../sources/http-source.ts';
import { normalizeBody } from './normalize.ts';

const context = {
  tenantId: 't',
  batchId: 'b',
  part: 0,
  sourceId: 's',
  sourceLabel: 'label',
  parseTime: new Date('2026-01-01T00:00:00.000Z'),
};
const managed = [...managedSchemas().values()].map((schema) => schema.compiled);

function schema(text: string): CompiledSchema {
  const result = compileSchema(text);
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  return result.schema;
}

function run(body: string | Buffer, schemas: readonly CompiledSchema[], type: LogStreamType = 'Auto') {
  const result = normalizeBody(Buffer.from(body), { type, options: {} }, schemas, context);
  const texts = result.logs.flatMap((log) => log.rows.toString().trimEnd().split('\n'));
  return { ...result, texts, rows: texts.map((text) => JSON.parse(text) as Record<string, unknown>) };
}

const anything = schema('schema: Custom.Any\nfields:\n  - { name: a, type: json }\n');

test('every standard field is there, and indicators are gathered, unique and sorted', () => {
  const { rows } = run(
    JSON.stringify({
      t: '2025-05-05T10:00:00+02:00',
      ips: ['10.0.0.2', '10.0.0.1', '10.0.0.2', 'no'],
      who: ' a@b.c ',
      n: 1,
    }),
    [
      schema(
        'schema: Custom.One\nfields:\n  - { name: t, type: timestamp, timeFormats: [rfc3339], isEventTime: true }\n  - { name: ips, type: array, element: { type: string, indicators: [ip] } }\n  - { name: who, type: string, indicators: [email] }\n',
      ),
    ],
  );
  expect(rows).toEqual([
    {
      t: '2025-05-05T08:00:00.000Z',
      ips: ['10.0.0.2', '10.0.0.1', '10.0.0.2', 'no'],
      who: ' a@b.c ',
      p_extra: { n: 1 },
      p_log_type: 'Custom.One',
      p_row_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      p_event_time: '2025-05-05T08:00:00.000Z',
      p_parse_time: '2026-01-01T00:00:00.000Z',
      p_source_id: 's',
      p_source_label: 'label',
      p_any_emails: ['a@b.c'],
      p_any_ip_addresses: ['10.0.0.1', '10.0.0.2'],
    },
  ]);
});

test('integers beyond 2^53 stay unchanged in declared, nested and unknown places', () => {
  const big = schema('schema: Custom.Big\nfields:\n  - { name: n, type: bigint }\n  - { name: j, type: json }\n');
  const { texts } = run(
    '{"n": 9007199254740993, "j": {"deep": [12345678901234567890]}, "x": -9223372036854775808, "f": 0.1234567890123456789}',
    [big],
  );
  expect(texts[0]).toContain('"n":9007199254740993');
  expect(texts[0]).toContain('"deep":[12345678901234567890]');
  expect(texts[0]).toContain('"x":-9223372036854775808');
  expect(texts[0]).toContain('"f":0.1234567890123456789');
});

test('keys such as __proto__ are data', () => {
  const { texts } = run('{"a": {"__proto__": {"x": 1}}, "__proto__": 5, "constructor": 6}', [anything]);
  expect(texts[0]).toContain('"a":{"__proto__":{"x":1}}');
  expect(texts[0]).toContain('"p_extra":{"__proto__":5,"constructor":6}');
});

test('of duplicate keys the last one counts, as in JavaScript and Python', () => {
  expect(run('{"a": 1, "a": 2}', [anything]).rows[0]).toMatchObject({ a: 2 });
});

describe('what fits no schema is kept with its place and reason', () => {
  const strict = schema('schema: Custom.S\nfields:\n  - { name: id, type: int, required: true }\n');
  test.each([
    ['{"id": "x"}', 'id is not a whole number'],
    ['{"other": 1}', 'id is required'],
    ['{"id": null}', 'id is required'],
    ['{"id": 2147483648}', 'id does not fit into int'],
    ['{"id": 1', 'the record is not JSON'],
    ['plain text', 'the record is not JSON'],
    ['{"id": "never closed', 'the record is not JSON'],
  ])('%s', (record, reason) => {
    const { failures, rows } = run(`${record}\n{"id": 7}\n`, [strict]);
    expect(rows.map((row) => row['id'])).toEqual([7]);
    expect(failures).toMatchObject([{ offset: 0, payload: expect.stringContaining(record.slice(0, 4)) as string }]);
    expect(failures[0]?.reason).toContain(reason);
  });

  test('a line of 10 MB of rubbish costs neither the line before nor the one behind', () => {
    const { rows, failures } = run(`{"id": 1}\n${'x'.repeat(10_000_000)}\n{"id": 2}\n`, [strict]);
    expect(rows.map((row) => row['id'])).toEqual([1, 2]);
    expect(failures).toMatchObject([{ length: 10_000_000 }]);
    expect(failures[0]?.payload).toHaveLength(16 * 1024);
  });

  test('invalid UTF-8 is replaced and the event kept', () => {
    const body = Buffer.concat([Buffer.from('{"id": 1, "x": "'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect(run(body, [strict]).rows[0]).toMatchObject({ id: 1, p_extra: { x: '\ufffd\ufffd' } });
  });
});

describe('streams', () => {
  const all = (body: string, type: LogStreamType = 'Auto') => run(body, [anything], type).rows.map((row) => row['a']);
  test.each([
    ['lines', '{"a":1}\r\n\r\n  {"a":2}\n'],
    ['pretty-printed values', '{\n  "a": 1\n}\n{ "a":\n2 }'],
    ['an array', ' [ {"a":1} , {"a":2} ] '],
    ['an envelope', '{"Records": [{"a":1},{"a":2}]}'],
    ['an envelope per line', '{"Records":[{"a":1}]}\n{"Records":[{"a":2}]}\n'],
  ])('%s', (_name, body) => {
    expect(all(body)).toEqual([1, 2]);
  });
  test('brackets and quotes inside strings do not end a record', () => {
    expect(all('[{"a":"]}\\\\\\"[{"},{"a":2}]')).toEqual([']}\\"[{', 2]);
  });
  test('an envelope field is followed by name', () => {
    const body = '{"meta": {"x": "]"}, "data": {"items": [{"a":1},{"a":2}]}}';
    const stream = { type: 'JsonArray', options: { jsonArrayEnvelopeField: 'data.items' } } as const;
    expect(normalizeBody(Buffer.from(body), stream, [anything], context).logs[0]?.count).toBe(2);
  });
});

test('a record that fits two schemas is of the one that requires more, in whatever order they come', () => {
  const wide = schema('schema: Custom.Wide\nfields:\n  - { name: id, type: int, required: true }\n');
  const narrow = schema(
    'schema: Custom.Narrow\nfields:\n  - { name: id, type: int, required: true }\n  - { name: at, type: int, required: true }\n',
  );
  const body = '{"id":1}\n{"id":2,"at":1}\n{"id":3}\n{"id":4,"at":"x"}\n{"id":5,"at":2}\n';
  for (const schemas of [
    [wide, narrow],
    [narrow, wide],
  ]) {
    const { rows } = run(body, schemas);
    expect(rows.filter((row) => row['p_log_type'] === 'Custom.Narrow').map((row) => row['id'])).toEqual([2, 5]);
    expect(rows.filter((row) => row['p_log_type'] === 'Custom.Wide').map((row) => row['id'])).toEqual([1, 3, 4]);
  }
});

test('whatever JSON comes in, each record becomes one row or one failure, and rows are valid JSON', () => {
  fc.assert(
    fc.property(fc.array(fc.json(), { maxLength: 20 }), (values) => {
      const body = values.map((text) => text.replaceAll('\n', ' ')).join('\n');
      const { rows, failures } = run(body, [anything, ...managed], 'Lines');
      expect(rows.length + failures.length).toBe(values.length);
    }),
  );
});

test('whatever bytes come in, nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void run(Buffer.from(bytes), managed)),
    { numRuns: 500 },
  );
});

const sharedFolder = process.env['MARGAY_SHARED_DIR'] ?? path.resolve(import.meta.dirname, '../../../../shared');
const samples = path.join(sharedFolder, 'data/samples');
const hasSamples = existsSync(samples);
if (!hasSamples) process.stdout.write(`skipped: real samples are not in ${samples}\n`);

/** Samples whose origin left something out, was of an older version, or is no valid record. */
const cutShort: Readonly<Record<string, readonly string[]>> = {
  'AWS.Config': ['AWS.Config: configurationItemCaptureTime is required'],
  'Microsoft365.Audit.AzureActiveDirectory': [
    'Microsoft365.Audit.AzureActiveDirectory: AzureActiveDirectoryEventType is required',
  ],
  'Syslog.RFC5424': ['Syslog.RFC5424: timestamp is not a time of the format rfc3339'],
};

/** Log types whose records are those of another type too: a source has one of the two. */
const alike = new Set([
  ...['NetworkConnect', 'NetworkListen', 'ProcessRollup2', 'ProcessRollup2Stats', 'UserLogonLogoff'].map(
    (kind) => `Crowdstrike.${kind}`,
  ),
  'GSuite.Reports',
  // One of its two samples lacks what tells it from the general type.
  'Microsoft365.Audit.AzureActiveDirectory',
]);

describe.skipIf(!hasSamples)('real events', () => {
  const names = (hasSamples ? readdirSync(samples) : []).map((file) => file.replace(/\.(log|ndjson)$/, ''));

  test.each(names)('every sample of %s fits its schema', (logType) => {
    const extension = existsSync(path.join(samples, `${logType}.log`)) ? 'log' : 'ndjson';
    const own = [managedSchemas().get(logType)?.compiled].filter((found) => found !== undefined);
    const result = run(readFileSync(path.join(samples, `${logType}.${extension}`)), own);
    expect(result.logs.map((log) => log.logType)).toEqual([logType]);
    expect(result.failures.map(({ reason }) => reason.split(' (the record')[0])).toEqual(cutShort[logType] ?? []);
  });

  test.each(names.filter((name) => !alike.has(name)))(
    'among the log types of its vendor, %s stays itself',
    (logType) => {
      const extension = existsSync(path.join(samples, `${logType}.log`)) ? 'log' : 'ndjson';
      const [vendor] = logType.split('.');
      const siblings = [...managedSchemas().values()].filter(({ name }) => name.split('.')[0] === vendor);
      const result = run(
        readFileSync(path.join(samples, `${logType}.${extension}`)),
        siblings.map(({ compiled }) => compiled),
      );
      expect(result.logs.map((log) => log.logType)).toEqual([logType]);
    },
  );

  test('the 55 CloudTrail files give 2,900 events with row ids of their own', () => {
    const folder = path.join(sharedFolder, 'data/cloudtrail/s3');
    const ids = new Set<unknown>();
    const files = readdirSync(folder);
    expect(files).toHaveLength(55);
    for (const [part, file] of files.entries()) {
      const body = gunzipSync(readFileSync(path.join(folder, file)));
      const schemas = managed.filter(({ name }) => name === 'AWS.CloudTrail');
      const result = normalizeBody(body, { type: 'Auto', options: {} }, schemas, { ...context, part });
      expect(result.failures).toEqual([]);
      for (const line of result.logs[0]?.rows.toString().trimEnd().split('\n') ?? [])
        ids.add((JSON.parse(line) as Record<string, unknown>)['p_row_id']);
    }
    expect(ids.size).toBe(2900);
  });
});
