import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createSandboxPool } from '#detections';
import { hashId } from '#platform/ids';
import type { SandboxContent, SandboxRule } from '../../../src/detections/sandbox/sandbox-contract.ts';
import { openWalls } from '../../support/sandboxes.ts';

vi.setConfig({ testTimeout: 240_000 });
const folder = await mkdtemp(path.join(tmpdir(), 'margay-sandbox-'));
const { walls, bundle } = await openWalls();
const pool = createSandboxPool({
  walls,
  bundle,
  limits: { ruleTimeoutMs: 1000, chunkTimeoutMs: 1500, loadTimeoutMs: 3000 },
});
afterAll(async () => {
  await pool.close();
  await rm(folder, { recursive: true, force: true });
});

const rule = (id: string, body: string): SandboxRule => ({ id, body, logTypes: ['T'], severity: 'LOW' });
const content = (...rules: readonly SandboxRule[]): SandboxContent => ({
  revision: hashId(...rules.flatMap((item) => [item.id, item.body])),
  globals: [{ id: 'helpers', body: 'def is_root(event):\n    return event.deep_get("user", "name") == "root"\n' }],
  dataModels: [
    {
      id: 'Standard.T',
      logTypes: ['T'],
      mappings: [
        { name: 'source_ip', path: 'ip' },
        { name: 'kind', method: 'kind' },
      ],
      body: 'def kind(event):\n    return event.get("user", {}).get("name", "?").upper()\n',
    },
  ],
  rules,
});
const isRoot = rule(
  'Is.Root',
  'from helpers import is_root\ndef rule(event):\n    return is_root(event)\ndef title(event):\n    return f"root from {event.udm(\'source_ip\')} {event.udm(\'kind\')}"\ndef alert_context(event):\n    return {"user": event.get("user")}\n',
);
const records = Buffer.from(
  [
    '{"user":{"name":"root"},"ip":"10.0.0.1"}',
    '{"user":{"name":"guest"}}',
    '{"USER":{"Name":"root"},"ip":"10.0.0.2"}',
    '',
  ].join('\n'),
);
const evaluate = (tenantId: string, ...rules: readonly SandboxRule[]) =>
  pool.evaluate({ tenantId, content: content(...rules), logType: 'T', records });
const rootMatches = [
  {
    recordIndex: 0,
    ruleId: 'Is.Root',
    title: 'root from 10.0.0.1 ROOT',
    dedup: 'root from 10.0.0.1 ROOT',
    severity: 'LOW',
    alertContext: '{"user": {"name": "root"}}',
  },
  { recordIndex: 2, ruleId: 'Is.Root' },
];

test('a rule sees events without regard to key case, with globals and its data model', async () => {
  expect(await evaluate('a', isRoot)).toMatchObject({ matches: rootMatches, errors: [] });
});

const troublemakers: readonly (readonly [string, string, string])[] = [
  ['raises', 'def rule(event):\n    return event["nope"]\n', 'exception'],
  ['returns 1', 'def rule(event):\n    return 1\n', 'return_type'],
  ['never ends', 'def rule(event):\n    while True:\n        pass\n', 'timeout'],
  [
    'eats memory',
    'def rule(event):\n    hoard = []\n    while True:\n        hoard.append(bytes(300_000_000))\n',
    'memory',
  ],
  ['ends the interpreter', 'import os\ndef rule(event):\n    os._exit(3)\n', 'crash'],
  ['floods the output', 'def rule(event):\n    while True:\n        print("x" * 100000)\n', 'timeout'],
  [
    'never ends in a regular expression',
    'import re\ndef rule(event):\n    return re.match("(a+)+$", "a" * 40 + "b") is not None\n',
    'timeout',
  ],
  [
    'never ends in its title',
    'def rule(event):\n    return True\ndef title(event):\n    while True:\n        pass\n',
    'timeout',
  ],
  ['sleeps', 'import time\ndef rule(event):\n    time.sleep(3600)\n', 'timeout'],
  [
    'recurses without end',
    'import sys\nsys.setrecursionlimit(10**9)\ndef rule(event):\n    return rule(event)\n',
    // Whether its stack or its time ends first depends on the machine.
    'crash|timeout',
  ],
  [
    'raises something of its own that cannot be shown',
    'class Odd(Exception):\n    def __str__(self):\n        raise self\ndef rule(event):\n    raise Odd()\n',
    'exception',
  ],
  ['leaves by SystemExit', 'import sys\ndef rule(event):\n    sys.exit(1)\n', 'crash'],
  ['has a syntax error', 'def rule(event:\n', 'load'],
  ['never finishes loading', 'while True:\n    pass\n', 'timeout'],
];

test.each(troublemakers)('a rule that %s is named, and every other rule is complete', async (_what, body, kind) => {
  const result = await evaluate('b', rule('Bad', body), isRoot);
  expect(result.matches).toMatchObject(rootMatches);
  expect(result.errors[0]).toMatchObject({ ruleId: 'Bad', kind: expect.stringMatching(`^(?:${kind})$`) });
  expect(new Set(result.errors.map((error) => error.ruleId))).toEqual(new Set(['Bad']));
});

test('a rule whose texts are too large has them cut, and too much context for one answer comes in several', async () => {
  const body =
    'def rule(event):\n    return True\ndef title(event):\n    return "t" * 2**20\ndef alert_context(event):\n    return {"text": "x" * 190_000}\n';
  const lines = Buffer.from('{"a":1}\n'.repeat(500));
  // Tens of megabytes of text want the time that the product gives, not the short limits of this file.
  const patient = createSandboxPool({ walls, bundle });
  const { matches, errors } = await patient.evaluate({
    tenantId: 'b',
    content: content(rule('Large', body)),
    logType: 'T',
    records: lines,
  });
  await patient.close();
  expect(errors).toEqual([]);
  expect(matches.map((match) => match.recordIndex)).toEqual(Array.from({ length: 500 }, (_, index) => index));
  expect(matches[0]?.title.length).toBe(1000);
});

test('a tenant is served at once while another tenant hangs', async () => {
  await evaluate('c', isRoot);
  const hanging = evaluate('d', rule('Hang', 'def rule(event):\n    while True:\n        pass\n'));
  const startedAt = performance.now();
  await evaluate('c', isRoot);
  expect(performance.now() - startedAt).toBeLessThan(1000);
  await hanging;
});

test('nothing one tenant leaves behind is seen by another', async () => {
  await evaluate(
    'e',
    rule(
      'Leave',
      'import builtins, sys\nbuiltins.left = "secret"\nsys.left = 1\ndef rule(event):\n    open("/tmp/left", "w").write("secret")\n    return False\n',
    ),
  );
  const look =
    'import builtins, sys, os\ndef rule(event):\n    return hasattr(builtins, "left") or hasattr(sys, "left") or os.path.exists("/tmp/left")\n';
  expect((await evaluate('f', rule('Look', look))).matches).toEqual([]);
});

const lookups: readonly (readonly [string, string])[] = [
  ['a file of the host', 'open(HOST_FILE).read()'],
  ['the passwords of the host', 'open("/etc/passwd").read()'],
  ['the network', '__import__("socket").create_connection(("127.0.0.1", PORT), 2)'],
  ['a shell', '__import__("os").system("echo reached > " + HOST_FILE)'],
  ['a child process', '__import__("subprocess").run(["true"], check=True)'],
  ['the JavaScript world', '__import__("js").process'],
  ['the interpreter interface', '__import__("pyodide_js")._api'],
  ['foreign functions', '__import__("ctypes").CDLL(None)'],
  ['the environment of the host', '__import__("os").environ["PATH_OF_HOST"]'],
];

test.each(lookups)('a rule cannot reach %s', async (_what, expression) => {
  const secret = path.join(folder, 'secret');
  await writeFile(secret, 'secret', { mode: 0o644 });
  const server = createServer(() => expect.unreachable('the sandbox reached the network'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const body = `HOST_FILE = ${JSON.stringify(secret)}\nPORT = ${port}\ndef rule(event):\n    ${expression}\n    return True\n`;
  const result = await evaluate('g', rule('Reach', body));
  server.close();
  expect(result.matches).toEqual([]);
  expect(result.errors.length).toBeGreaterThan(0);
});

test('unit tests run every function, with mocks, and report each', async () => {
  const body =
    'def threshold():\n    return 5\ndef rule(event):\n    return event.get("n") > threshold()\ndef title(event):\n    return 7\n';
  const base = { event: '{"n": 3}', mocks: [] };
  const results = await pool.test({
    tenantId: 'h',
    content: content(rule('N', body)),
    ruleId: 'N',
    tests: [
      { name: 'below', expectedResult: false, ...base },
      { name: 'mocked', expectedResult: true, ...base, mocks: [{ objectName: 'threshold', returnValue: 1 }] },
      { name: 'unknown mock', expectedResult: true, ...base, mocks: [{ objectName: 'nothing', returnValue: 1 }] },
    ],
  });
  expect(results.map((result) => [result.name, result.passed])).toEqual([
    ['below', true],
    ['mocked', false],
    ['unknown mock', false],
  ]);
  expect(results[1]?.functions['title']?.error?.message).toContain('function [title] returned [int], expected [str]');
  expect(results[2]?.error?.exception).toBe('AttributeError');
});

test('an interpreter that cannot be started is a passing trouble and blames no rule', async () => {
  const broken = createSandboxPool({ walls: { ...walls, wrap: () => ({ file: '/bin/false', args: [] }) }, bundle });
  const call = { tenantId: 'unlucky', content: content(isRoot), logType: 'T', records };
  await expect(broken.evaluate(call)).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  await broken.close();
});

test('a single event is evaluated between the chunks of a mountain of the same tenant', async () => {
  const mountain = Buffer.from(`{"user":{"name":"guest"}}\n`.repeat(30_000));
  const ended: string[] = [];
  const run = async (name: string, bytes: Buffer): Promise<void> => {
    await pool.evaluate({ tenantId: 'busy', content: content(isRoot), logType: 'T', records: bytes });
    ended.push(name);
  };
  await run('warm', records);
  await Promise.all([run('mountain', mountain), run('mountain', mountain), run('single', records)]);
  expect(ended).toEqual(['warm', 'single', 'mountain', 'mountain']);
});
