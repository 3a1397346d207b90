import { beforeAll, describe, expect, test } from 'vitest';
import type { LakeLayout } from '#lake';
import { SqlProblem } from '#search';
import { createTenant } from '../../support/postgres.ts';
import { createAsker, createSearchBed } from '../../support/search.ts';
import { startTestStores } from '../../support/stores.ts';
import { rows, schema } from './act-events.ts';

const { database, server } = await startTestStores();

type Row = Readonly<Record<string, unknown>>;

/** Statements in ClickHouse's SQL, and what they give on the three events; `act` stands for the table. */
const cases: readonly (readonly [sql: string, rows: readonly Row[]])[] = [
  [
    'select count() c, countIf(ok) k, sumIf(bytes, ok) s, uniqExact(eventName) u from act',
    [{ c: 3, k: 2, s: 800, u: 2 }],
  ],
  [
    'SELECT toStartOfHour(p_event_time) AS h, sum(bytes) AS s FROM act GROUP BY h ORDER BY h DESC LIMIT 2',
    [
      { h: '2026-06-15 11:00:00.000', s: 100 },
      { h: '2026-06-15 10:00:00.000', s: 50 },
    ],
  ],
  [
    'select bytes from act where p_event_time >= now() - INTERVAL 1 DAY and p_event_time < now() - 3600 order by 1',
    [{ bytes: 50 }],
  ],
  [
    "select bytes from act where toDate(p_event_time) = today() and has(p_any_ip_addresses, '10.0.0.1')",
    [{ bytes: 100 }],
  ],
  [
    'select arrayJoin(tags) as tag, count() as n from act group by tag order by tag limit 2',
    [
      { tag: 'mfa', n: 1 },
      { tag: 'vpn', n: 1 },
    ],
  ],
  ['select arrayJoin([1, 2]) as n order by n desc', [{ n: 2 }, { n: 1 }]],
  [
    'select tag, bytes from act array join tags as tag where bytes < 200 order by tag',
    [
      { tag: 'mfa', bytes: 100 },
      { tag: 'vpn', bytes: 100 },
      { tag: 'web', bytes: 50 },
    ],
  ],
  ['select tags from act array join tags order by tags limit 1', [{ tags: 'mfa' }]],
  ['select bytes, tag from act left array join tags as tag where bytes = 700', [{ bytes: 700, tag: null }]],
  ['select x from act array join JSONExtractArrayRaw(extra) as x where bytes = 50 order by 1 limit 1', [{ x: 'x' }]],
  [
    "select user.userName u, params['bucket'] b, params.deep.er.x d, tags[1] f, tags[-1] l, tags[9] n, params.list[2] p from act where bytes = 100",
    [{ u: 'ann', b: 'one', d: 'y', f: 'vpn', l: 'mfa', n: null, p: 'q' }],
  ],
  [
    "select JSONExtractString(params, 'bucket') b, JSONExtractInt(params, 'n') n, JSONExtract(params, 'n', 'Nullable(Float64)') f, JSONHas(params, 'nothing') h, JSONExtractString(params, 'nothing') x, JSONLength(params, 'list') l, JSONExtractString(params, 'list', 2) q from act where bytes = 100",
    [{ b: 'one', n: 7, f: 7, h: false, x: null, l: 2, q: 'q' }],
  ],
  [
    "select multiIf(bytes < 60, 'small', bytes < 200, 'middle', 'large') s, if(ok, 1, 0) o, ifNull(ratio, 0.25) r from act order by bytes",
    [
      { s: 'small', o: 0, r: 0.25 },
      { s: 'middle', o: 1, r: 0.5 },
      { s: 'large', o: 1, r: 0.25 },
    ],
  ],
  [
    'select eventName, bytes from act order by bytes desc limit 1 by eventName',
    [
      { eventName: 'Delete\\All_%', bytes: 700 },
      { eventName: 'Login', bytes: 100 },
    ],
  ],
  ['select bytes from act order by bytes limit 1, 1', [{ bytes: 100 }]],
  ['select ratio from act order by ratio desc', [{ ratio: 0.5 }, { ratio: null }, { ratio: null }]],
  ["select count() n from act where eventName like '%\\\\\\\\All\\_\\%'", [{ n: 1 }]],
  ["select count() n from act where match(eventName, '^Log\\w+$') and not like(eventName, '%x%')", [{ n: 2 }]],
  [
    "select extract(eventName, '^(.)o') e, extractAll('a1b22', '\\d+') a, replaceRegexpOne('aXbX', 'X', '-') r, position('hello', 'l') p, splitByChar('/', 'a/b')[2] s, lower('AB') l, length('é') n, empty('') m from act where bytes = 50",
    [{ e: 'L', a: ['1', '22'], r: 'a-bX', p: 3, s: 'b', l: 'ab', n: 1, m: true }],
  ],
  [
    "select arrayMap(x -> concat(x, eventName), tags) m, arrayFilter(x -> x != 'vpn', tags) f, arrayExists(t -> startsWith(t, 'm'), tags) e, arrayCount(t -> t = 'vpn', tags) c, arrayFirst(t -> t > 'n', tags) a, arrayMap((a, b) -> a * b, [1, 2], [3, 4]) p, arraySum([1, 2]) s from act where bytes = 100",
    [{ m: ['vpnLogin', 'mfaLogin'], f: ['mfa'], e: true, c: 1, a: 'vpn', p: [3, 8], s: 3 }],
  ],
  [
    "select arrayMap(x -> arrayMap(y -> x + y, [10]), [1, 2]) n, arraySlice([1, 2, 3], 2, 1) s, arraySlice([1, 2, 3], -2) t, indexOf([5, 6], 6) i, hasAll([1, 2], [2]) h, arrayUniq([1, 1]) u, arrayStringConcat([1, 2], '-') j",
    [{ n: [[11], [12]], s: [2], t: [2, 3], i: 2, h: true, u: 1, j: '1-2' }],
  ],
  [
    'select quantile(0.5)(bytes) q, quantiles(0, 1)(bytes) r, groupArray(2)(bytes) g, topK(1)(eventName) t, argMax(eventName, bytes) a, arraySort(groupUniqArray(ok)) o from act',
    [{ q: 100, r: [50, 700], g: expect.any(Array), t: ['Login'], a: 'Delete\\All_%', o: [false, true] }],
  ],
  [
    "select toDateTime('2026-06-15 11:30:00') t, toYYYYMM(p_event_time) m, toStartOfInterval(p_event_time, INTERVAL 15 MINUTE) i, dateDiff('minute', p_event_time, now()) d, addDays(p_event_time, 1) a, formatDateTime(p_event_time, '%Y/%m/%d') f, toUnixTimestamp(p_event_time) u, now() - p_event_time s, toStartOfWeek(p_event_time) w, toMonday(p_event_time) o from act where bytes = 100",
    [
      {
        t: '2026-06-15 11:30:00.000',
        m: 202606,
        i: '2026-06-15 11:30:00.000',
        d: 30,
        a: '2026-06-16 11:30:00.000',
        f: '2026/06/15',
        u: 1781523000,
        s: 1800,
        w: '2026-06-14',
        o: '2026-06-15',
      },
    ],
  ],
  [
    "select isIPAddressInRange('10.1.2.3', '10.0.0.0/8') y, isIPAddressInRange('no address', '10.0.0.0/8') n, domain('https://a.example/b?c') d, path('https://a.example/b?c') p",
    [{ y: true, n: false, d: 'a.example', p: '/b' }],
  ],
  [
    "select toInt64OrNull('x') n, toInt64OrZero('x') z, CAST('7', 'Nullable(Int64)') c, cast(bytes as String) s, toString(ok) o, '5'::UInt8 u, intDiv(7, 2) i, 7 / 2 f from act where bytes = 50",
    [{ n: null, z: 0, c: 7, s: '50', o: 'false', u: 5, i: 3, f: 3.5 }],
  ],
  ['select * except (p_row_id) from (select p_row_id, bytes from act) order by bytes limit 1', [{ bytes: 50 }]],
  ["select bytes from act final prewhere bytes > 60 where p_occurs_since('1 day')", [{ bytes: 100 }]],
  [
    'with big as (select * from act where bytes >= 100) select count() n, any(eventName) in (select eventName from act) i from big',
    [{ n: 2, i: true }],
  ],
  ['select bytes, row_number() over (order by bytes desc) r from act qualify r = 1', [{ bytes: 700, r: 1 }]],
  ['-- pragma: clickhouse\nselect countIf(bytes > 60) n from act', [{ n: 2 }]],
];

const problems: readonly (readonly [sql: string, message: RegExp])[] = [
  ['select toStartOfHuor(p_event_time) from act', /there is no function "toStartOfHuor"/],
  ['select sum(bytes) from act settings max_threads = 1', /SETTINGS is not supported/],
  ['select sum(bytes) from act format JSON', /FORMAT is not supported/],
  ['select bytes from act group by bytes with totals', /WITH after GROUP BY/],
  ["select toStartOfHour(p_event_time, 'Europe/Berlin') from act", /only the time zone UTC/],
  ['select tags[0] from act', /count from 1/],
  ["select '\\x27'", /escape \\x/],
  ['select length(2)(tags) from act', /takes no parameters/],
  ['select arrayMap(tags, tags) from act', /first argument is a function/],
  ['select arrayMap(x -> sum(x), tags) from act', /has no meaning in a function of a list/],
  ['select 1 from act sample 0.1', /SAMPLE is not supported/],
  ['select hostName()', /there is no function "hostName"/],
  ["select file('/etc/passwd')", /there is no function "file"/],
];

describe.each(['dedicated', 'pooled'] satisfies LakeLayout[])('%s layout', (layout) => {
  const bed = createSearchBed(database, server, layout);
  const ask = createAsker({ database, client: server.client }, [schema], 'clickhouse');
  let tenant = '';
  beforeAll(async () => {
    tenant = await createTenant(database);
    await bed.load(tenant, schema, rows);
    await bed.load(await createTenant(database), schema, rows);
  });
  const written = (sql: string): string => sql.replaceAll(/\b(from|join) act\b/gi, '$1 panther_logs.custom_act');

  test.each(cases)('%s', async (sql, expected) => {
    expect(await ask(tenant, written(sql))).toEqual(expected);
  });

  test.each(problems)('%s', async (sql, message) => {
    const problem = await ask(tenant, written(sql)).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(SqlProblem);
    expect(String(problem)).toMatch(message);
  });
});
