import { afterAll, describe, expect, test } from 'vitest';
import { createSandboxPool, type UnitTestResult } from '#detections';
import type { SandboxContent, SandboxRule } from '../../../src/detections/sandbox/sandbox-contract.ts';
import { openWalls } from '../../support/sandboxes.ts';

/** What detections may import and rely on, seen from inside the sandbox. */

const pool = createSandboxPool({
  ...(await openWalls()),
  limits: { ruleTimeoutMs: 20_000, loadTimeoutMs: 60_000 },
});
afterAll(() => pool.close());

const libraries = `
import datetime, json

def dateutil():
    from dateutil import parser, tz
    from dateutil.relativedelta import relativedelta, FR
    start = datetime.datetime(2024, 1, 31, tzinfo=tz.UTC)
    assert parser.parse("Mon, 02 Jan 2006 15:04:05 -0700 (MST)").isoformat() == "2006-01-02T15:04:05-07:00"
    assert parser.parse("2021-01-02T03:04:05.123456Z").microsecond == 123456
    assert parser.isoparse("20210102").day == 2
    assert (start + relativedelta(months=1)).day == 29
    assert (start + relativedelta(weekday=FR(-1))).day == 26
    assert relativedelta(datetime.datetime(2021, 3, 5), datetime.datetime(2019, 1, 31)).years == 2
    try:
        parser.parse("no date at all")
    except ValueError:
        return True

def policyuniverse():
    from policyuniverse.action_categories import categories_for_actions
    from policyuniverse.expander_minimizer import expand_policy, minimize_statement_actions
    from policyuniverse.policy import Policy
    open_policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}
    assert Policy(open_policy).is_internet_accessible()
    narrowed = {**open_policy["Statement"][0], "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}
    assert not Policy({"Statement": narrowed}).is_internet_accessible()
    assert categories_for_actions(["s3:putbucketpolicy"])["s3"] == {"Permissions"}
    assert "ec2:runinstances" in expand_policy({"Statement": {"Effect": "Allow", "Action": "ec2:Run*"}})["Statement"][0]["Action"]
    return minimize_statement_actions({"Effect": "Allow", "Action": "s3:*"}) == ["s3:*"]

def pycountry():
    import pycountry
    assert pycountry.countries.get(alpha_2="de").alpha_3 == "DEU"
    assert pycountry.countries.get(alpha_2="ZZ") is None
    assert pycountry.subdivisions.get(code="US-CA").country.alpha_2 == "US"
    try:
        pycountry.countries.lookup("nowhere")
    except LookupError:
        return len(pycountry.countries) > 240

def jsonpath_ng():
    from jsonpath_ng.ext import parse
    value = {"a": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]}
    assert [m.value for m in parse("$.a[?(@.n=='y')].v").find(value)] == [2]
    assert str(parse("a[0].n").find(value)[0].full_path) == "a.[0].n"
    return [m.value for m in parse("$..v").find(value)] == [1, 2]

def requests():
    import requests
    try:
        requests.get("https://example.com/", timeout=1)
    except requests.exceptions.RequestException as error:
        return "without network" in str(error)

def boto3():
    import boto3
    from botocore.exceptions import ClientError
    try:
        boto3.resource("dynamodb")
    except RuntimeError as error:
        return "without network" in str(error)

def panther_core():
    from panther_core import PantherEvent
    from panther_core.immutable import ImmutableCaseInsensitiveDict, ImmutableList
    event = PantherEvent({"A": {"b": [1, 2]}})
    assert isinstance(event["a"], ImmutableCaseInsensitiveDict) and isinstance(event.get("A")["B"], ImmutableList)
    assert event["A"]["b"] == [1, 2] and event.to_dict() == {"A": {"b": [1, 2]}}
    try:
        event["A"] = 1
    except TypeError:
        return not isinstance(event, dict)

def rule(event):
    return globals()[event.get("module")]() is True
`;

const log = (module: string) => ({
  name: module,
  expectedResult: true,
  event: JSON.stringify({ module }),
  mocks: [],
});
const rule = (id: string, body: string, more: Partial<SandboxRule> = {}): SandboxRule => ({
  id,
  body,
  logTypes: ['X'],
  severity: 'LOW',
  ...more,
});
const contentOf = (revision: string, rules: readonly SandboxRule[]): SandboxContent => ({
  revision,
  globals: [{ id: 'shared', body: 'LIMIT = 3\ndef over(value):\n    return value > LIMIT\n' }],
  dataModels: [
    {
      id: 'Model',
      logTypes: ['X'],
      body: 'def who(event):\n    return event.get("user", {}).get("name")\n',
      mappings: [
        { name: 'actor_user', method: 'who' },
        { name: 'source_ip', path: '$.net.ip' },
        { name: 'flagged', path: "$.items[?(@.flag == 'on')].name" },
        { name: 'many', path: '$.items[*].name' },
      ],
    },
  ],
  rules,
});
const failures = (results: readonly UnitTestResult[]) =>
  results.filter((result) => !result.passed).map(({ name, error, functions }) => ({ name, error, functions }));

describe('libraries', () => {
  const modules = ['dateutil', 'policyuniverse', 'pycountry', 'jsonpath_ng', 'requests', 'boto3', 'panther_core'];
  test('that content imports are there and answer as their users expect', async () => {
    const content = contentOf('libraries', [rule('Libraries', libraries)]);
    const results = await pool.test({ tenantId: 't', content, ruleId: 'Libraries', tests: modules.map(log) });
    expect(failures(results)).toEqual([]);
    expect(results).toHaveLength(modules.length);
  });
});

describe('the event', () => {
  const body = `
import shared

def rule(event):
    assert event.udm("actor_user") == "alice"
    assert event.udm("source_ip") == "1.2.3.4" and event.udm_path("source_ip") == "net.ip"
    assert event.udm("flagged") == "b"
    assert event.udm("absent", default="x") == "x"
    assert event.deep_get("NET", "IP") == "1.2.3.4"
    assert event.deep_walk("items", "name") == ["a", "b"]
    assert event.deep_walk("items", "name", return_val="last") == "b"
    assert event.lookup("table", "key") == {"row": 1}
    assert event.event_time_epoch() == 1577836800
    try:
        event.udm("many")
    except Exception as error:
        assert "more than one value" in str(error)
    return shared.over(event["count"])

def title(event):
    print("looking at", event.get("count"))
    return "t" * 2000
def severity(event):
    return "Default"
def destinations(event):
    return []
def alert_context(event):
    return event["net"]
`;
  test('has data models, JSONPath, walks and lookups, and functions are cut and defaulted', async () => {
    const content = contentOf('event', [rule('Event', body)]);
    const event = JSON.stringify({
      p_log_type: 'X',
      p_event_time: '2020-01-01 00:00:00.000',
      count: 5,
      user: { name: 'alice' },
      net: { ip: '1.2.3.4' },
      items: [{ name: 'a' }, { name: 'b', flag: 'on' }],
      _mocked_lookup_data_: { table: { key: { row: 1 } } },
    });
    const tests = [{ name: 'event', expectedResult: true, event, mocks: [] }];
    const results = await pool.test({ tenantId: 't', content, ruleId: 'Event', tests });
    expect(failures(results)).toEqual([]);
    const functions = results[0]?.functions ?? {};
    expect(functions['title']?.output).toMatch(/^t{985}\.\.\. \(truncated\)$/);
    expect(functions['severity']?.output).toBe('LOW');
    expect(functions['destinations']?.output).toBe('["SKIP"]');
    expect(JSON.parse(functions['alert_context']?.output ?? '')).toEqual({ ip: '1.2.3.4' });
    expect(results[0]?.printed).toContain('looking at 5');
  });
});

describe('bad detections', () => {
  const bad: Readonly<Record<string, string>> = {
    Syntax: 'def rule(event:\n    return True\n',
    Circular: 'import circular_one\ndef rule(event):\n    return True\n',
    NoMatcher: 'def title(event):\n    return "x"\n',
  };
  test('say what is wrong with line and caret, and leave the others alone', async () => {
    const content: SandboxContent = {
      ...contentOf('bad', [
        ...Object.entries(bad).map(([id, text]) => rule(id, text)),
        rule('Good', 'def rule(event):\n    return True\n'),
      ]),
      globals: [
        { id: 'circular_one', body: 'from circular_two import b\na = 1\n' },
        { id: 'circular_two', body: 'from circular_one import a\nb = 1\n' },
      ],
    };
    const errors = await pool.check({ tenantId: 't', content });
    const messageOf = (id: string) => errors.find((error) => error.ruleId === id)?.message;
    expect(messageOf('Syntax')).toMatch(/line 1[\s\S]*def rule\(event:[\s\S]*\^/);
    expect(messageOf('Circular')).toMatch(/circular/);
    expect(messageOf('NoMatcher')).toBe('detection [NoMatcher] has no function named rule');
    expect(messageOf('Good')).toBeUndefined();
  });

  test('that return something else, print a lot or put NaN in the context fail alone', async () => {
    const bodies = {
      One: 'def rule(event):\n    return 1\n',
      Nan: 'def rule(event):\n    return True\ndef alert_context(event):\n    return {"x": float("nan")}\n',
      Ring: 'def rule(event):\n    return True\ndef alert_context(event):\n    ring = {"event": event}\n    ring["x"] = ring\n    return ring\n',
      Whole:
        'def rule(event):\n    return True\ndef alert_context(event):\n    return {"event": event, "list": event.get("b")}\n',
      Long: 'def rule(event):\n    return True\ndef title(event):\n    return "x" * 1_000_000\n',
    };
    const content = contentOf(
      'returns',
      Object.entries(bodies).map(([id, text]) => rule(id, text)),
    );
    const records = Buffer.from('{"a":1,"b":[{"c":"é"}]}\n');
    const { matches, errors } = await pool.evaluate({ tenantId: 't', content, logType: 'X', records });
    expect(errors).toMatchObject([
      {
        ruleId: 'One',
        kind: 'return_type',
        message: 'detection [One] function [rule] returned [int], expected [bool]',
      },
    ]);
    const byId = new Map(matches.map((match) => [match.ruleId, match]));
    expect(JSON.parse(byId.get('Nan')?.alertContext ?? '')).toMatchObject({
      _error: expect.stringContaining('ValueError'),
    });
    expect(JSON.parse(byId.get('Ring')?.alertContext ?? '')).toMatchObject({
      _error: expect.stringContaining('Circular reference'),
    });
    expect(JSON.parse(byId.get('Whole')?.alertContext ?? '')).toEqual({
      event: { a: 1, b: [{ c: 'é' }] },
      list: [{ c: 'é' }],
    });
    expect(byId.get('Long')?.title).toHaveLength(1000);
  });

  test('policies see a plain resource and alert on False; a scheduled rule without a matcher always matches', async () => {
    const content = contentOf('kinds', [
      rule('Policy', 'def policy(resource):\n    resource["x"] = 1\n    return type(resource) is not dict\n', {
        kind: 'policy',
      }),
      rule('Scheduled', 'def title(event):\n    return "row"\n', { kind: 'scheduled_rule' }),
    ]);
    const run = (ruleId: string, expectedResult: boolean) =>
      pool.test({ tenantId: 't', content, ruleId, tests: [{ name: 'n', expectedResult, event: '{}', mocks: [] }] });
    expect(failures(await run('Policy', false))).toEqual([]);
    expect(failures(await run('Scheduled', true))).toEqual([]);
  });
});
