import { gives, picks, type Row, type Seeds, times } from './seed.ts';

const azure = 'Azure.Audit';
const consent = (user: string, app: string, ago: string, more: Row = {}): Row => ({
  ago,
  category: 'AuditLogs',
  operationName: 'Consent to application',
  properties: {
    initiatedBy: { user: { userPrincipalName: user } },
    additionalDetails: { key: ['AppId'], value: app },
    result: 'success',
    ...more,
  },
});
const device = (user: string, ago: string, more: Row = {}): Row => ({
  ago,
  category: 'SignInLogs',
  operationName: 'Sign-in activity',
  resultType: '0',
  properties: { userPrincipalName: user, authenticationProtocol: 'deviceCode' },
  ...more,
});
const graph = (user: string, app: string, ago: string, more: Row = {}): Row => ({
  ago,
  category: 'MicrosoftGraphActivityLogs',
  properties: {
    UserPrincipalObjectID: user,
    appId: app,
    C_Idtyp: 'user',
    clientAuthMethod: 0,
    responseStatusCode: 200,
    requestMethod: 'GET',
    requestUri: 'https://x/v1.0/me/messages',
    scopes: 'Mail.Read',
    ...more,
  },
});
const gsuite = 'GSuite.ActivityEvent';
const act = (email: string, ago: string, more: Row): Row => ({ actor: { email }, ago, ...more });
const token = { id: { applicationName: 'token' }, name: 'authorize' };
const signIn = { id: { applicationName: 'login' }, name: 'login_success' };
const dropbox = (email: string, tag: string, n: number): Row => ({
  event_type: { _tag: tag },
  actor: { user: { email } },
  assets: [{ path: { contextual: `/f${n}` } }],
});
const notion = (email: string, id: string, type: string, more: Row = {}): Row => ({
  event: {
    type,
    actor: { type: 'person', person: { email } },
    details: { page_name: 'p', target: { type: 'page_id', page_id: id } },
    ...more,
  },
});
const pulse = (id: string, more: Row): Row => ({
  id,
  name: `pulse ${id}`,
  adversary: '',
  malware_families: [],
  indicator_type: 'IPv4',
  modified: '2026-06-01T00:00:00Z',
  ...more,
});

export const saasSeeds: Seeds = {
  auth0_brute_force: [
    {
      rows: { 'Auth0.Events': [...times(5, () => ({ data: { type: 'limit_mu' } })), { data: { type: 's' } }] },
      expect: times(5, () => ({ total_incidents: 5 })),
    },
    {
      rows: {
        'Auth0.Events': [
          ...times(4, () => ({ data: { type: 'limit_wc' } })),
          { data: { type: 'limit_wc' }, ago: '2h' },
        ],
      },
      expect: [],
    },
  ],
  auth0_cic_credential_stuffing_query: picks(
    'Auth0.Events',
    [{ data: { type: 'fcoa' } }, { data: { type: 'pwd_leak' }, ago: '300d' }],
    [{ data: { type: 's' } }, { data: { type: 'fcoa' }, ago: '900d' }, {}],
  ),
  Entra_ID_Anomalous_Application_Consent_Query: gives(
    {
      [azure]: [
        consent('a', 'new', '10m'),
        consent('a', 'old', '10m'),
        consent('a', 'old', '2d'),
        consent('a', 'bad', '10m', { result: 'failure' }),
        consent('b', 'x', '3d'),
      ],
    },
    [{ user_principal_name: 'a', app_id: 'new' }],
  ),
  Entra_ID_First_Time_Device_Code_Auth_Query: gives(
    {
      [azure]: [
        device('new', '10m'),
        device('old', '10m'),
        device('old', '5d'),
        device('failed', '10m', { resultType: '5' }),
      ],
    },
    [{ user_principal_name: 'new', authentication_protocol: 'deviceCode' }],
  ),
  Entra_ID_Graph_Email_Access_Unusual_Public_Client_Query: gives(
    {
      [azure]: [
        graph('u', 'new', '10m'),
        graph('u', 'old', '10m'),
        graph('u', 'old', '5d'),
        graph('u', 'app', '10m', { clientAuthMethod: 1 }),
        graph('u', 'other', '10m', { requestUri: 'https://x/v1.0/me/photo', scopes: 'User.Read' }),
        graph('u', 'none', '10m', { appId: null }),
      ],
    },
    [{ user_principal_object_id: 'u', app_id: 'new' }],
  ),
  Dropbox_Many_Deletes_Query: gives(
    {
      'Dropbox.TeamEvent': [
        ...times(3, (n) => dropbox('a', 'file_delete', n)),
        ...times(5, () => dropbox('b', 'file_delete', 1)),
        ...times(5, (n) => dropbox('c', 'file_add', n)),
      ],
    },
    [{ user: 'a', deleted_files: ['/f0', '/f1', '/f2'], delete_count: 3, t_s: '2026-06-15 11:00:00.000' }],
  ),
  Dropbox_Many_Downloads_Query: gives(
    {
      'Dropbox.TeamEvent': [
        ...times(11, (n) => dropbox('a', 'file_download', n)),
        ...times(10, (n) => dropbox('b', 'file_download', n)),
      ],
    },
    [{ user: 'a', download_count: 11 }],
  ),
  nx_supply_chain_s1ngularity_repository_query: gives(
    {
      'GitHub.Audit': [
        { actor: 'a', action: 'repo.create', repo: 'x/S1ngularity-Repository-0', public_repo: true },
        { actor: 'b', action: 'repo.create', repo: 'x/s1ngularity-repository', public_repo: false },
        { actor: 'c', action: 'repo.create', repo: 'x/y', public_repo: true },
        { actor: 'd', action: 'other', repo: 'x/s1ngularity-repository', public_repo: true },
        { actor: 'e', action: 'repo.create', public_repo: true },
      ],
    },
    [{ actor: 'a' }],
  ),
  shai_hulud_filenames_in_repo: gives(
    {
      'GitHub.Webhook': [
        { ref: 'commit', commits: [{ added: ['a', 'setup_bun.js'] }], head_commit: { added: [] } },
        { ref: 'head', commits: [], head_commit: { added: ['bun_environment.js'] } },
        { ref: 'clean', commits: [{ added: ['x'] }], head_commit: { added: ['y'] } },
      ],
    },
    [
      { ref: 'commit', added_file: 'setup_bun.js' },
      { ref: 'head', added_file: null },
    ],
  ),
  GSuite_Login_Type_Anomaly_Query: gives(
    {
      [gsuite]: [
        act('a', '1h', { ...signIn, parameters: { login_type: 'saml' } }),
        act('a', '5d', { ...signIn, parameters: { login_type: 'exchange' } }),
        act('a', '1h', { ...signIn, parameters: { login_type: 'exchange' } }),
        act('a', '1h', { ...signIn, parameters: { login_type: 'reauth' } }),
        act('a', '1h', { ...signIn, parameters: {} }),
      ],
    },
    [{ email: 'a', login_type: 'saml' }],
  ),
  GSuite_Many_Docs_Deleted_Query: gives(
    {
      [gsuite]: [
        ...times(11, (n) => act('a', '10m', { name: 'trash', parameters: { doc_title: `d${n}` } })),
        ...times(11, () => act('b', '10m', { name: 'trash', parameters: { doc_title: 'd' } })),
      ],
    },
    [{ user: 'a', delete_count: 11 }],
  ),
  GSuite_Many_Docs_Downloaded_Query: gives(
    {
      [gsuite]: [
        ...times(12, (n) => act('a', '10m', { name: 'download', parameters: { doc_title: `d${n}` } })),
        ...times(10, (n) => act('b', '10m', { name: 'download', parameters: { doc_title: `d${n}` } })),
      ],
    },
    [{ user: 'a', download_count: 12 }],
  ),
  GSuite_OAuth_Anomalous_Scope_Patterns_Query: gives(
    {
      [gsuite]: [
        act('a', '1h', { ...token, parameters: { client_id: 'new', scope: ['https://x/Drive'] } }),
        act('a', '1h', { ...token, parameters: { client_id: 'old', scope: ['drive'] } }),
        act('a', '3d', { ...token, parameters: { client_id: 'old', scope: ['drive'] } }),
        act('a', '1h', { ...token, parameters: { client_id: 'mild', scope: ['openid'] } }),
      ],
    },
    [{ actor_email: 'a', client_id: 'new' }],
  ),
  GSuite_OAuth_Login_Scope_Anomalous_Access_Query: gives(
    {
      [gsuite]: [
        act('a', '1h', {
          ...token,
          parameters: { app_name: 'new', scope: ['https://www.google.com/accounts/OAuthLogin'] },
        }),
        act('a', '3d', { ...token, parameters: { app_name: 'old', scope: ['x/accounts/oauthlogin'] } }),
        act('a', '1h', { ...token, parameters: { app_name: 'old', scope: ['x/accounts/OAuthLogin'] } }),
        act('a', '1h', { ...token, parameters: { app_name: 'mild', scope: ['openid'] } }),
      ],
    },
    [{ app_name: 'new', user_email: 'a' }],
  ),
  GSuite_OAuth_Token_New_IP_Query: gives(
    {
      [gsuite]: [
        ...times(3, () =>
          act('a', '1h', { ...token, ipAddress: '2.2.2.2', parameters: { app_name: 'x', client_id: 'c' } }),
        ),
        ...times(3, () => act('a', '1h', { ...token, ipAddress: '1.1.1.1' })),
        act('a', '5d', { ...token, ipAddress: '1.1.1.1' }),
        ...times(2, () => act('b', '1h', { ...token, ipAddress: '3.3.3.3' })),
        ...times(3, () => act('c', '1h', { ...token, ipAddress: '4.4.4.4' })),
        ...times(5, () => act('a', '1h', { ...token, ipAddress: 'fe80::1' })),
      ],
    },
    [
      { user: 'a', new_ip: '2.2.2.2', request_count: 3, app_names: ['x'] },
      { user: 'c', new_ip: '4.4.4.4', request_count: 3 },
    ],
  ),
  GSuite_Rapid_Multi_IP_Authentication_Query: gives(
    {
      [gsuite]: [
        ...['1.1.1.1', '2.2.2.2', '3.3.3.3', 'fe80::1'].map((ipAddress, n) =>
          act('a', `${10 + n * 5}m`, { ...signIn, ipAddress, parameters: { login_type: 'x' } }),
        ),
        ...['1.1.1.1', '2.2.2.2', 'fe80::1'].map((ipAddress) => act('b', '10m', { ...signIn, ipAddress })),
        ...['1', '2', '3'].map((ipAddress) => act('c', '7h', { ...signIn, ipAddress })),
      ],
    },
    [
      {
        user: 'a',
        unique_ip_count: 3,
        total_logins: 4,
        ip_addresses: ['1.1.1.1', '2.2.2.2', '3.3.3.3'],
        login_types: ['x'],
        time_span_minutes: 15,
      },
    ],
  ),
  notion_many_pages_deleted_query: gives(
    {
      'Notion.AuditLogs': [
        notion('a', '1', 'page.deleted'),
        notion('a', '2', 'page.deleted'),
        notion('a', '2', 'page.restored_from_trash'),
        notion('a', '3', 'page.deleted', { actor: { type: 'bot' } }),
      ],
    },
    [{ user: 'a', id: '1', actions: ['page.deleted'], page_name: 'p' }],
  ),
  otx_high_impact_pulses: gives(
    {
      'Lookup.OTX.Pulses': [
        pulse('1', { adversary: 'bear', malware_families: ['m'] }),
        pulse('1', { adversary: 'bear', malware_families: ['m'], indicator_type: 'domain' }),
        pulse('2', { malware_families: ['m'] }),
        pulse('3', {}),
        pulse('4', { adversary: 'old', ago: '40d' }),
      ],
    },
    [
      {
        pulse_id: '1',
        pulse_severity: 'CRITICAL',
        indicator_count: 2,
        distinct_indicator_types: 2,
        indicator_types: ['IPv4', 'domain'],
        otx_url: 'https://otx.alienvault.com/pulse/1',
      },
      { pulse_id: '2', pulse_severity: 'HIGH' },
    ],
  ),
  otx_pulses_summary: gives(
    {
      'Lookup.OTX.Pulses': ['IPv4', 'IPv6', 'hostname', 'FileHash-MD5', 'URL', 'CVE'].map((indicator_type) =>
        pulse('1', { indicator_type }),
      ),
    },
    [
      {
        pulse_id: '1',
        indicator_count: 6,
        ip_count: 2,
        domain_count: 1,
        hash_count: 1,
        url_count: 1,
        email_count: 0,
        cve_count: 1,
      },
    ],
  ),
  new_login_ip_query: gives(
    {
      'Panther.Audit': [
        { actor: { attributes: { email: 'a' } }, sourceIP: '2.2.2.2', ago: '1h' },
        { actor: { attributes: { email: 'a' } }, sourceIP: '1.1.1.1', ago: '1h' },
        { actor: { attributes: { email: 'a' } }, sourceIP: '1.1.1.1', ago: '9d' },
      ],
    },
    [{ actoremail: 'a', sourceIP: '2.2.2.2' }],
  ),
};
