import { gives, picks, type Row, type Seeds, times } from './seed.ts';

const history = 'Snowflake.QueryHistory';
const logins = 'Snowflake.LoginHistory';
const asked = (text: string, more: Row = {}): Row => ({
  query_text: text,
  query_type: 'CREATE',
  user_name: 'eve',
  role_name: 'R',
  execution_status: 'SUCCESS',
  start_time: '2026-06-15T11:50:00Z',
  end_time: '2026-06-15T11:51:00Z',
  ...more,
});
const failed = (ip: string, user: string, id: number, more: Row = {}): Row => ({
  event_id: id,
  event_timestamp: '2026-06-15T11:50:00Z',
  event_type: 'LOGIN',
  client_ip: ip,
  user_name: user,
  reported_client_type: 'JDBC',
  error_code: 1,
  error_message: 'bad',
  ...more,
});
const drift = [
  asked('create role x'),
  asked('GRANT role accountadmin TO user', { query_type: 'GRANT', user_name: 'PANTHER_ADMIN' }),
];
const noDrift = [
  asked('select 1'),
  asked('create role x', { user_name: 'PANTHER_ADMIN' }),
  asked('create role x', { execution_status: 'FAIL' }),
  asked('drop table', { query_type: 'SELECT' }),
];
const session = (application: string, os: string, more: Row = {}): Row => ({
  created_on: '2026-06-15T11:50:00Z',
  user_name: 'u',
  client_environment: { APPLICATION: application, OS: os },
  ...more,
});
const enabled = (text: string): Row => asked(text, { query_type: 'ALTER_USER' });
const spike = (user: string, bytes: (day: number) => number): readonly Row[] =>
  times(30, (day) => ({
    user_name: user,
    end_time: new Date(Date.UTC(2026, 5, 15, 11) - day * 86_400_000).toISOString(),
    bytes_written_to_result: bytes(day),
    p_source_id: 's',
    p_source_label: 'l',
  }));

export const snowflakeSeeds: Seeds = {
  snowflake_0108977_configuration_drift_query: gives(
    { [history]: [...drift, ...noDrift, asked('create role old', { ago: '2d' })] },
    [{ query_text: 'create role x', user_name: 'eve' }, { user_name: 'PANTHER_ADMIN' }],
  ),
  snowflake_0108977_configuration_drift_threat_hunting: gives(
    { [history]: [...drift, ...noDrift, asked('create role old', { ago: '2d' })] },
    [{ query_text: 'create role x' }, { user_name: 'PANTHER_ADMIN' }, { query_text: 'create role old' }],
  ),
  snowflake_0108977_ip_query: picks(
    logins,
    [failed('104.223.91.28', 'u', 1)],
    [failed('1.1.1.1', 'u', 2), failed('104.223.91.28', 'u', 3, { ago: '2d' })],
  ),
  snowflake_0108977_ip_threat_hunting: picks(
    logins,
    [failed('104.223.91.28', 'u', 1), failed('138.199.34.144', 'u', 3, { ago: '200d' })],
    [failed('1.1.1.1', 'u', 2)],
  ),
  snowflake_0108977_suspected_user_access_query: picks(
    'Snowflake.Sessions',
    [session('rapeflake', 'x', { ago: '9d' }), session('DBeaver_DBeaverUltimate', 'Windows Server 2022')],
    [
      session('DBeaver_DBeaverUltimate', 'Linux'),
      session('other', 'Windows Server 2022'),
      session('DBeaver_DBeaverUltimate', 'Windows Server 2022', { ago: '3d' }),
    ],
  ),
  snowflake_0108977_suspected_user_access_threat_hunting: picks(
    'Snowflake.Sessions',
    [session('rapeflake', 'x'), session('DBeaver_DBeaverUltimate', 'Windows Server 2022', { ago: '3d' })],
    [session('DBeaver_DBeaverUltimate', 'Linux'), session('other', 'x')],
  ),
  snowflake_0108977_suspected_user_activity_threat_hunting: picks(
    history,
    [asked('a', { user_name: '<SUSPECTED_USER>' })],
    [asked('b'), asked('c', { user_name: '<SUSPECTED_USER>', start_time: '2024-01-01T00:00:00Z' })],
  ),
  snowflake_account_admin_assigned_query: gives(
    {
      'Snowflake.GrantsToUsers': [
        { role: 'AccountAdmin', grantee_name: 'a', granted_by: 'x', granted_to: 'USER' },
        { role: 'reader', grantee_name: 'b', granted_to: 'USER' },
        { role: 'admin', grantee_name: 'c', granted_to: 'USER', deleted_on: '2026-06-01T00:00:00Z' },
        { role: 'admin', grantee_name: 'd', granted_to: 'USER', ago: '2d' },
      ].map((row) => ({ created_on: '2026-06-15T11:00:00Z', ...row })),
    },
    [{ role: 'AccountAdmin', granted_to: 'a', granted_by: 'x' }],
  ),
  snowflake_brute_force_ip_query: gives(
    {
      [logins]: [
        ...times(5, (n) => failed('1.1.1.1', `u${n}`, n)),
        ...times(4, (n) => failed('2.2.2.2', 'u', n)),
        ...times(9, (n) => failed('3.3.3.3', 'u', n, { error_code: 394304 })),
        ...times(9, (n) => failed('4.4.4.4', 'u', n, { error_code: null })),
        ...times(9, (n) => failed('5.5.5.5', 'u', n, { event_timestamp: '2026-06-13T00:00:00Z' })),
      ],
    },
    [{ client_ip: '1.1.1.1', counts: 5, error_codes: [1], error_messages: ['bad'] }],
  ),
  snowflake_brute_force_username_query: gives(
    { [logins]: [...times(5, (n) => failed(`1.1.1.${n}`, 'u', n)), ...times(4, (n) => failed('2.2.2.2', 'v', n))] },
    [{ user_name: 'u', counts: 5 }],
  ),
  snowflake_external_shares_query: picks(
    'Snowflake.DataTransferHistory',
    [{ start_time: '2026-06-15T11:00:00Z', source_cloud: 'AWS', target_cloud: 'GCP', bytes_transferred: 5 }],
    [
      { source_cloud: 'AWS', target_cloud: 'GCP', bytes_transferred: 0 },
      { source_cloud: 'AWS', bytes_transferred: 5 },
      { source_cloud: 'AWS', target_cloud: 'GCP', bytes_transferred: 5, ago: '2d' },
    ],
  ),
  snowflake_failed_logins_query: gives(
    {
      [logins]: [
        failed('1.1.1.1', 'u', 1),
        failed('1.1.1.1', 'v', 2),
        failed('2.2.2.2', 'u', 3),
        failed('1.1.1.1', 'w', 4, { error_code: null }),
        failed('1.1.1.1', 'w', 5, { event_timestamp: '2026-06-01T00:00:00Z' }),
      ],
    },
    [
      { client_ip: '1.1.1.1', user_name: 'u', count_by_ip: 2, count_by_username: 2 },
      { client_ip: '1.1.1.1', user_name: 'v', count_by_ip: 2, count_by_username: 1 },
      { client_ip: '2.2.2.2', count_by_ip: 1, count_by_username: 2 },
    ],
  ),
  snowflake_file_downloaded_query: gives(
    {
      [history]: [
        asked('GET @db.stage/x file:///tmp', { query_type: 'GET_FILES' }),
        asked("get '@~/y' file:///", { query_type: 'GET_FILES' }),
        asked('GET @a/b f', { query_type: 'GET_FILES', execution_status: 'FAIL' }),
        asked('GET @a/b f', { query_type: 'GET_FILES', ago: '2d' }),
      ],
    },
    [{ stage: 'db.stage', path: 'db.stage/x' }],
  ),
  snowflake_key_user_password_login_query: gives(
    {
      [logins]: [
        {
          user_name: 'A',
          is_success: 'YES',
          first_authentication_factor: 'PASSWORD',
          event_timestamp: '2026-06-15T11:00:00Z',
        },
        {
          user_name: 'A',
          is_success: 'YES',
          first_authentication_factor: 'RSA_KEYPAIR',
          event_timestamp: '2026-06-15T11:00:00Z',
        },
        {
          user_name: 'B',
          is_success: 'YES',
          first_authentication_factor: 'PASSWORD',
          event_timestamp: '2026-06-15T11:00:00Z',
        },
      ],
      'Snowflake.Users': [
        { name: 'A', has_rsa_public_key: true },
        { name: 'B', has_rsa_public_key: false },
      ],
    },
    [{ name: 'A', first_authentication_factor: 'PASSWORD', second_authentication_factor: null, counts: 1 }],
  ),
  snowflake_login_without_mfa_query: gives(
    {
      [logins]: [
        failed('1.1.1.1', 'a', 1, { first_authentication_factor: 'PASSWORD' }),
        failed('1.1.1.1', 'b', 2, { first_authentication_factor: 'PASSWORD', second_authentication_factor: 'DUO' }),
        failed('1.1.1.1', 'c', 3, { first_authentication_factor: 'RSA' }),
      ],
    },
    [{ user_name: 'a' }],
  ),
  snowflake_suspicious_session_query: gives(
    {
      'Snowflake.Sessions': [
        ...times(51, () => session('new', 'x', { p_source_id: 's', p_source_label: 'l' })),
        ...times(51, () => session('old', 'x', { created_on: '2026-05-01T00:00:00Z' })),
        ...times(50, () => session('few', 'x')),
      ],
    },
    [{ client_application: 'new', client_os: 'x', n_sessions: 51, p_source_id: 's' }],
  ),
  snowflake_table_copied_into_stage_query: gives(
    {
      [history]: [
        asked('COPY INTO @stage1/p FROM t', { query_type: 'UNLOAD' }),
        asked('copy into t from @s', { query_type: 'UNLOAD' }),
        asked('COPY INTO @stage1 FROM t', { query_type: 'COPY' }),
      ],
    },
    [{ stage: 'stage1', path: 'stage1/p' }],
  ),
  snowflake_temp_stage_created_query: gives(
    {
      [history]: [
        asked('create or replace temp stage my.stage'),
        asked('create stage s'),
        asked('create temporary stage x', { ago: '2d' }),
      ],
    },
    [{ stage: 'my.stage' }],
  ),
  snowflake_user_created_query: gives(
    {
      [history]: [
        asked('create user x', { query_type: 'CREATE_USER' }),
        asked('create user y'),
        asked('create user z', { query_type: 'CREATE_USER', execution_status: 'FAIL' }),
      ],
    },
    [{ query_text: 'create user x' }],
  ),
  snowflake_user_enabled_query: gives(
    {
      [history]: [
        enabled('ALTER USER x SET DISABLED=false'),
        enabled('alter user y set disabled = true'),
        enabled('alter user z set comment'),
      ],
    },
    [{ query_text: 'ALTER USER x SET DISABLED=false' }],
  ),
  snowflake_user_query_volume_spike_query: gives(
    {
      [history]: [
        ...spike('spiky', (day) => (day === 0 ? 50_000_000 : 1_000_000 + (day % 2) * 1000)),
        ...spike('calm', (day) => 2_000_000 + (day % 2) * 1000),
        ...spike('small', (day) => (day === 0 ? 900_000 : 10 + (day % 2))),
      ],
    },
    [{ user_name: 'spiky', daily_bytes: 50_000_000, p_source_id: 's', p_source_label: 'l' }],
  ),
  snowflake_user_query_volume_spike_threat_hunting: gives(
    {
      [history]: [
        asked('a', { user_name: 'PANTHER_AUDIT_VIEW_USER', p_source_label: 'SF-Ben', bytes_written_to_result: 9 }),
        asked('b', { user_name: 'PANTHER_AUDIT_VIEW_USER', p_source_label: 'other' }),
        asked('c', { p_source_label: 'SF-Ben' }),
      ],
    },
    [{ query_text: 'a', bytes_written_to_result: 9 }],
  ),
};
