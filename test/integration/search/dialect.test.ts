import { beforeAll, describe, expect, test } from 'vitest';
import type { LakeLayout } from '#lake';
import { createTenant } from '../../support/postgres.ts';
import { createAsker, createSearchBed } from '../../support/search.ts';
import { startTestStores } from '../../support/stores.ts';
import { rows, schema } from './act-events.ts';

const { database, server } = await startTestStores();

/** A query, and the rows it gives, in order. `act` is the table. */
const cases: readonly (readonly [sql: string, expected: readonly object[]])[] = [
  [
    "select eventname from act where EVENTNAME = 'Login' order by bytes",
    [{ eventname: 'Login' }, { eventname: 'Login' }],
  ],
  ["select bytes from act where p_occurs_since('1 hour')", [{ bytes: 100 }]],
  ['select bytes from act where p_occurs_since(5400) order by 1', [{ bytes: 50 }, { bytes: 100 }]],
  ['select bytes from act where p_occurs_since(1h, , p_parse_time)', [{ bytes: 100 }]],
  ["select bytes from act a where p_occurs_since('1h', a)", [{ bytes: 100 }]],
  ["select bytes from act where not p_occurs_since('1 d')", [{ bytes: 700 }]],
  ["select bytes from act where p_occurs_between('2026-06-15 10:00:00', '2026-06-15 11:00:00')", [{ bytes: 50 }]],
  [
    "select bytes from act where p_occurs_between('2026-06-15', current_timestamp) order by bytes",
    [{ bytes: 50 }, { bytes: 100 }],
  ],
  [
    "select bytes from act where p_occurs_around('2026-06-15T11:00:00Z', '31 m') order by bytes",
    [{ bytes: 50 }, { bytes: 100 }],
  ],
  ["select bytes from act where p_occurs_before('2026-06-14')", [{ bytes: 700 }]],
  ["select bytes from act where p_occurs_after('2026-06-15 11:00:00.000')", [{ bytes: 100 }]],
  [
    "select count(*) n from panther_logs.public.custom_act where p_event_time > p_current_timestamp() - interval '1 day'",
    [{ n: 2 }],
  ],
  ["select user:userName u, user:age + 1 a from act where user:username = 'ann'", [{ u: 'ann', a: 31 }]],
  [
    "select params:deep.er.x x, params['bucket'] b, params:n n from act where params:bucket = 'one'",
    [{ x: 'y', b: 'one', n: 7 }],
  ],
  [
    'select params:big big, params:"when"::string w from act where params:bucket = \'one\'',
    [{ big: '12345678901234568', w: '2026-01-02T03:04:05Z' }],
  ],
  ['select params:n::int n from act where params:n::int > 6 order by n', [{ n: 7 }, { n: 8 }]],
  // Whole numbers beyond 2^53 are the same only digit by digit, in JSON and in texts.
  ['select bytes from act where params:big = 12345678901234568', [{ bytes: 100 }]],
  ['select bytes from act where params:big = 12345678901234567', []],
  [
    'select bytes from act where params:big > 12345678901234567 and params:big in (12345678901234568)',
    [{ bytes: 100 }],
  ],
  ["select bytes from act where '9007199254740993' = bytes + 9007199254740893", [{ bytes: 100 }]],
  // Texts and JSON meet numbers as numbers, also in joins; what is no number meets none.
  [
    "select a.bytes from act a join (select '100' t union all select 'x' union all select '50.0') b on a.bytes = b.t order by 1",
    [{ bytes: 50 }, { bytes: 100 }],
  ],
  ['select a.bytes from act a join act b on a.user:age = b.bytes - 70', [{ bytes: 100 }]],
  ['select count(*) n from act where eventName = bytes', [{ n: 0 }]],
  ["select count(*) n from act where parse_json('1e300') > bytes and '-1e30' < bytes and '1e-12' < bytes", [{ n: 3 }]],
  ["select count(*) n from act where parse_json('1.5') > 1 and parse_json('1.5') <> 2", [{ n: 3 }]],
  [
    "select params:deep d, params:list l, params:list[1] q from act where params:list[0] = 'p'",
    [{ d: { er: { x: 'y' } }, l: ['p', 'q'], q: 'q' }],
  ],
  ['select bytes from act where params:ok = true', [{ bytes: 700 }]],
  [
    'select params:labels."app.kubernetes.io/name"::string n, params[\'labels\'][\'.tag\'] t, params:labels.app."kubernetes.io/name" o from act where params:labels."app.kubernetes.io/name" = \'web\'',
    [{ n: 'web', t: 'end_user', o: 'other' }],
  ],
  [
    'select params:labels l from act where params:labels is not null',
    [
      {
        l: { '.tag': 'end_user', app: { 'kubernetes.io/name': 'other' }, 'app.kubernetes.io/name': 'web' },
      },
    ],
  ],
  [
    'select f.key k from act, lateral flatten(params:labels) f order by k',
    [{ k: '.tag' }, { k: 'app' }, { k: 'app.kubernetes.io/name' }],
  ],
  [
    'select extra:kind k, extra:n n, extra:"when" w from act where extra:kind = \'a\'',
    [{ k: 'a', n: 1, w: '2026-01-02 03:04:05' }],
  ],
  ["select extra[1]:y y from act where extra[0] = 'x'", [{ y: 1 }]],
  ['select bytes from act where params:missing is null and user:roles is not null', [{ bytes: 100 }]],
  ["select targets[0]:id t from act where targets[1]:id = 't2'", [{ t: 't1' }]],
  [
    'select f.value:id id, f.index i from act, lateral flatten(input => targets) f where bytes = 100 order by i',
    [
      { id: 't1', i: 0 },
      { id: 't2', i: 1 },
    ],
  ],
  [
    'select bytes, value v from act, table(flatten(tags)) order by bytes, v',
    [
      { bytes: 50, v: 'web' },
      { bytes: 100, v: 'mfa' },
      { bytes: 100, v: 'vpn' },
    ],
  ],
  [
    'select bytes, f.value v from act, lateral flatten(input => tags, outer => true) f where bytes = 700',
    [{ bytes: 700, v: null }],
  ],
  [
    'select f.key k, f.value v from act, lateral flatten(params:deep) f where bytes = 100',
    [{ k: 'er', v: { x: 'y' } }],
  ],
  [
    'select bytes from act qualify row_number() over (partition by eventName order by bytes desc) = 1 order by bytes',
    [{ bytes: 100 }, { bytes: 700 }],
  ],
  ["select bytes from act where user:userName ilike any ('A%', 'c%') order by bytes", [{ bytes: 100 }, { bytes: 700 }]],
  ["select bytes from act where eventName like 'Delete\\\\All!_!%' escape '!'", [{ bytes: 700 }]],
  ["select bytes from act where eventName not like '%o%'", [{ bytes: 700 }]],
  ["select bytes from act where user:userName rlike '[ab].*' order by bytes", [{ bytes: 50 }, { bytes: 100 }]],
  ["select bytes from act where user:userName rlike 'n'", []],
  ["select regexp_substr(eventName, '(L)(og)', 1, 1, 'e', 2) g from act where bytes = 100", [{ g: 'og' }]],
  [
    "select iff(ok, 'yes', 'no') v, nvl(ratio, 0) r from act order by bytes",
    [
      { v: 'no', r: 0 },
      { v: 'yes', r: 0.5 },
      { v: 'yes', r: 0 },
    ],
  ],
  [
    "select array_size(tags) n, array_contains('vpn'::variant, tags) c, array_to_string(tags, '+') s from act where bytes = 100",
    [{ n: 2, c: true, s: 'vpn+mfa' }],
  ],
  [
    "select arrays_overlap(tags, array_construct('mfa', 'x')) o, array_intersection(tags, ['vpn']) i, array_except(tags, ['vpn']) e from act where bytes = 100",
    [{ o: true, i: ['vpn'], e: ['mfa'] }],
  ],
  [
    "select array_contains('admin', user:roles) c, array_slice(tags, 0, 1) s, array_compact([null, 'a']) k from act where bytes = 100",
    [{ c: true, s: ['vpn'], k: ['a'] }],
  ],
  ["select bytes from act where array_contains('10.0.0.2', p_any_ip_addresses)", [{ bytes: 50 }]],
  [
    'select eventName, array_agg(distinct user:userName) within group (order by user:userName desc) u, count(*) c from act group by eventName having c > 1',
    [{ eventName: 'Login', u: ['bob', 'ann'], c: 2 }],
  ],
  ['select array_agg(bytes) within group (order by p_event_time) b from act', [{ b: [700, 50, 100] }]],
  [
    "select lower(eventName) as eventName, count(*) n from act where eventName = 'Login' group by 1",
    [{ eventName: 'login', n: 2 }],
  ],
  [
    "select time_slice(p_event_time, 1, 'hour') h, sum(bytes) s from act group by h order by h desc limit 1",
    [{ h: '2026-06-15 11:00:00.000', s: 100 }],
  ],
  [
    "select date_trunc('day', p_event_time) d, datediff('minute', p_event_time, current_timestamp) m, dateadd(hour, -1, p_event_time) e from act where bytes = 100",
    [{ d: '2026-06-15 00:00:00.000', m: 30, e: '2026-06-15 10:30:00.000' }],
  ],
  [
    'select dayofweek(p_event_time) d, hour(p_event_time) h, extract(year from p_event_time) y, to_date(p_event_time) t from act where bytes = 100',
    [{ d: 1, h: 11, y: 2026, t: '2026-06-15' }],
  ],
  [
    'select median(bytes) m, max(bytes) x, min(user:userName) u, count(distinct eventName) e, count_if(ok) k, avg(bytes)::int a from act',
    [{ m: 100, x: 700, u: 'Cat', e: 2, k: 2, a: 283 }],
  ],
  [
    'select sum(bytes) s, max(p_event_time) m, array_agg(bytes) a, count(*) c from act where 1 = 2',
    [{ s: null, m: null, a: [], c: 0 }],
  ],
  [
    'with a as (select user:userName u, bytes from act), b as (select u from a where bytes < 100) select a.u from a join b on a.u = b.u',
    [{ u: 'bob' }],
  ],
  [
    'select a.bytes, b.bytes x from act a left join (select bytes + 50 as bytes from act) b using (bytes) order by 1',
    [
      { bytes: 50, x: null },
      { bytes: 100, x: 100 },
      { bytes: 700, x: null },
    ],
  ],
  ['select bytes from act minus select bytes from act where bytes > 60', [{ bytes: 50 }]],
  [
    'select bytes from act where bytes > 60 union all select 1 order by 1',
    [{ bytes: 1 }, { bytes: 100 }, { bytes: 700 }],
  ],
  ['select bytes from act a where exists (select 1 from act b where b.bytes = a.bytes * 2)', [{ bytes: 50 }]],
  ['select bytes from act where bytes in (select max(bytes) from act)', [{ bytes: 700 }]],
  ['select * exclude (p_row_id) from (select p_row_id, bytes from act) order by bytes limit 1', [{ bytes: 50 }]],
  [
    "select parse_json('{\"a\":[1,{\"b\":\"c\"}]}'):a[1].b v, try_parse_json('no') n, split_part('a/b/c', '/', -1) s",
    [{ v: 'c', n: null, s: 'c' }],
  ],
  ['select case when ok then tags else null end t from act order by bytes desc limit 1', [{ t: [] }]],
  ['select seq4() n from table(generator(rowcount => 3)) order by n desc', [{ n: 2 }, { n: 1 }, { n: 0 }]],
  [
    "select coalesce(params:nothing, 'none') v, greatest(1, null) g, concat('a', null) c, 'a' || 'b' d from act where bytes = 50",
    [{ v: 'none', g: null, c: null, d: 'ab' }],
  ],
  [
    "select '12'::int + 1 i, 1.5::string s, try_cast('x' as int) x, '2026-01-01'::date d, true::string b",
    [{ i: 13, s: '1.5', x: null, d: '2026-01-01', b: 'true' }],
  ],
  ['select targets from act where bytes = 50', [{ targets: [{ id: 't2' }] }]],
  [
    'select user, count(*) n from act group by user order by n, user:age desc nulls last limit 1',
    [{ user: { age: 40, userName: 'bob' }, n: 1 }],
  ],
  [
    'select lag(bytes) over (order by bytes) l, sum(bytes) over (order by bytes rows between unbounded preceding and current row) s from act order by bytes',
    [
      { l: null, s: 50 },
      { l: 50, s: 150 },
      { l: 100, s: 850 },
    ],
  ],
  ["select count(*) n from panther_views.public.all_logs where p_db_name = 'panther_logs'", [{ n: 3 }]],
  ["select bytes from act where seen = '2026-06-15T13:30:00+02:00'", [{ bytes: 100 }]],
  [
    "select upper('ß-é') u, position('b' in 'abc') p, substr('hello', 2, 3) s, left('hello', 2) l, ceil(1.2) c, round(2.345, 2) r",
    [{ u: 'SS-É', p: 2, s: 'ell', l: 'he', c: 2, r: 2.35 }],
  ],
];

describe.each(['dedicated', 'pooled'] satisfies LakeLayout[])('%s layout', (layout) => {
  const bed = createSearchBed(database, server, layout);
  const ask = createAsker({ database, client: server.client }, [schema]);
  let tenant = '';
  beforeAll(async () => {
    tenant = await createTenant(database);
    await bed.load(tenant, schema, rows);
    await bed.load(await createTenant(database), schema, rows);
  });

  test.each(cases)('%s', async (sql, expected) => {
    const written = sql.replaceAll(/\b(from|join) act\b/g, '$1 panther_logs.public.custom_act');
    expect(await ask(tenant, written)).toEqual(expected);
  });
});
