import { gives, picks, type Row, type Seeds, times } from './seed.ts';

const okta = 'Okta.SystemLog';
const event = (email: string, more: Row = {}): Row => ({
  eventType: 'x',
  actor: { alternateId: email, displayName: email, type: 'User' },
  outcome: { result: 'SUCCESS' },
  ...more,
});
const start = (ip: string, more: Row = {}): Row =>
  event('a', { eventType: 'user.session.start', client: { device: 'Computer', ipAddress: ip }, ...more });
const agent = (email: string, hour: number, ip: string, country: string): Row =>
  event(email, {
    eventType: 'user.authentication.auth_via_AD_agent',
    ago: `${hour}h`,
    published: `2026-06-15T${String(12 - hour).padStart(2, '0')}:00:00Z`,
    client: { ipAddress: ip, geographicalContext: { country, city: country } },
  });
const baseline = 'Lookup.Okta.Baseline.90d';
const made = (email: string, ip: string, ua: string, ago: string): Row =>
  event(email, {
    eventType: 'system.api_token.create',
    ago,
    client: { ipAddress: ip, userAgent: { rawUserAgent: ua } },
  });
const at = (ago: string): Row => ({ ago, published: ago === '2h' ? '2026-06-15T10:00:00Z' : '2026-06-15T11:00:00Z' });
const swa = (email: string, n: number, ip = '1.1.1.1'): Row =>
  event(email, {
    eventType: 'user.authentication.sso',
    ...at('1h'),
    debugContext: { debugData: { swa_mode: 'true', signOnMode: 'AUTO_LOGIN' } },
    target: [{ displayName: `app${n}` }],
    client: { ipAddress: ip, userAgent: { rawUserAgent: 'ua' }, geographicalContext: { country: 'DE' } },
  });
const change = (email: string, victim: string, country = 'DE'): Row =>
  event(email, {
    eventType: 'application.user_membership.change_username',
    ...at('1h'),
    target: [{ alternateId: victim }],
    client: { geographicalContext: { country, city: country } },
  });

export const oktaSeeds: Seeds = {
  Okta_Login_From_CrowdStrike_Unmanaged_Device_Query: picks(
    okta,
    [start('8.8.8.8')],
    [
      start('7.7.7.7'),
      start('8.8.8.8', { outcome: { result: 'FAILURE' } }),
      start('8.8.8.8', { ago: '2h' }),
      start('fe80::1'),
    ],
    { 'Crowdstrike.AIDMaster': [{ aip: '7.7.7.7' }] },
  ),
  Okta_Login_From_CrowdStrike_Unmanaged_Device_FDREvent: picks(
    okta,
    [start('8.8.8.8')],
    [start('7.7.7.7'), start('8.8.8.8', { ago: '2d' })],
    { 'Crowdstrike.FDREvent': [{ aip: '7.7.7.7', fdr_event_type: 'aid_master' }] },
  ),
  okta_52_char_username_threat_hunt: picks(
    okta,
    [event('a'.repeat(52), { eventType: 'user.session.start', at: '2024-08-01T00:00:00Z' })],
    [
      event('a'.repeat(51), { eventType: 'user.session.start', at: '2024-08-01T00:00:00Z' }),
      event('a'.repeat(52), { eventType: 'user.session.start', at: '2024-12-01T00:00:00Z' }),
      event('a'.repeat(52), { at: '2024-08-01T00:00:00Z' }),
    ],
  ),
  okta_activity_audit: gives(
    {
      [okta]: [
        event('a'),
        event('a'),
        event('b', { eventType: 'y' }),
        event('a', { ago: '9d' }),
        event('s', { actor: { type: 'SystemPrincipal' } }),
      ],
    },
    [
      { actor_name: 'a', actor_email: 'a', eventType: 'x', activity_count: 2 },
      { actor_email: 'b', eventType: 'y', activity_count: 1 },
    ],
  ),
  okta_ad_agent_auth_zscore_anomaly_query: gives(
    {
      [okta]: [
        ...['DE', 'FR', 'US', 'BR', 'IN'].map((country, n) => agent('cold@x', 1, `1.1.1.${n}`, country)),
        ...times(5, () => agent('calm@x', 1, '2.2.2.2', 'DE')),
        ...times(40, (n) => agent('wild@x', 1, `3.3.3.${n}`, 'DE')),
        ...times(4, (n) => agent('few@x', 1, `4.4.4.${n}`, 'DE')),
      ],
      'Lookup.Okta.AD.PantherFlow.Baseline.90d': ['calm@x', 'wild@x'].map((user_email) => ({
        user_email,
        baseline_mean_events_per_hour: 5,
        baseline_stddev_events_per_hour: 2,
        baseline_mean_ip_diversity_per_hour: 1,
        baseline_stddev_ip_diversity_per_hour: 1,
        baseline_mean_country_diversity_per_hour: 1,
        baseline_stddev_country_diversity_per_hour: 1,
      })),
    },
    [
      {
        user_email: 'cold@x',
        is_anomalous: false,
        is_cold_start_anomaly: true,
        recent_total_events: 5,
        recent_max_ip_diversity_per_hour: 5,
      },
      {
        user_email: 'wild@x',
        is_anomalous: true,
        z_score_volume: 17.5,
        z_score_ip_diversity: 39,
        anomaly_severity_score: 56.5,
      },
    ],
  ),
  okta_ad_agent_token_abuse_behavioral_query: gives(
    {
      [okta]: [
        made('a', '1.1.1.1', 'ua', '5d'),
        made('a', '1.1.1.1', 'ua', '1h'),
        made('a', '2.2.2.2', 'ua', '1h'),
        made('a', '1.1.1.1', 'new', '1h'),
        made('b', '9.9.9.9', 'z', '1h'),
        { ...made('a', '3.3.3.3', 'q', '1h'), outcome: { result: 'FAILURE' } },
      ],
    },
    [
      { actorId: 'a', sourceIP: '2.2.2.2', anomaly_type: 'New IP Address' },
      { actorId: 'a', userAgent: 'new', anomaly_type: 'New User Agent' },
      { actorId: 'b', anomaly_type: 'New IP Address, New User Agent' },
    ],
  ),
  okta_admin_access_granted: gives(
    {
      [okta]: [
        event('a', { eventType: 'user.account.privilege.grant', at: '2022-02-01T00:00:00Z' }),
        event('b', {
          eventType: 'group.privilege.grant',
          at: '2022-02-02T00:00:00Z',
          debugContext: { debugData: { privilegeGranted: 'Super Admin' } },
        }),
        event('c', {
          eventType: 'group.privilege.grant',
          at: '2022-02-02T00:00:00Z',
          debugContext: { debugData: { privilegeGranted: 'reader' } },
        }),
        event('d', { eventType: 'user.account.privilege.grant' }),
      ],
    },
    [{ actor_email: 'a' }, { actor_email: 'b', priv_granted: 'Super Admin' }],
  ),
  okta_harfile_iocs: picks(
    okta,
    [
      event('a', { p_any_ip_addresses: ['23.105.182.19', '1.1.1.1'] }),
      event('b', {
        client: {
          userAgent: {
            rawUserAgent:
              'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.7113.93 Safari/537.36',
          },
        },
      }),
    ],
    [event('c', { p_any_ip_addresses: ['1.1.1.1'] }), event('d')],
  ),
  okta_mfa_password_reset_audit: gives(
    {
      [okta]: [
        event('a', {
          eventType: 'user.mfa.factor.deactivate',
          target: [{ alternateId: 'v' }, { alternateId: 'w' }],
          client: { ipAddress: '1.1.1.1' },
        }),
        event('b'),
        event('c', { eventType: 'user.mfa.factor.deactivate', ago: '9d' }),
      ],
    },
    [{ actor_user: 'a', target_user: 'v', ip_address: '1.1.1.1' }],
  ),
  okta_session_id_audit: gives(
    { [okta]: [event('a', { authenticationContext: { externalSessionId: 's1' } }), event('b', { ago: '9d' })] },
    [{ actor_email: 'a', sessionId: 's1' }],
  ),
  okta_skeleton_key_bypass_behavioral_query: gives(
    {
      [okta]: [
        event('weak@x', {
          eventType: 'policy.rule.update',
          ...at('1h'),
          debugContext: { debugData: { changedAttributes: 'requireFactor true false' } },
        }),
        event('fine@x', {
          eventType: 'policy.rule.update',
          ...at('1h'),
          debugContext: { debugData: { changedAttributes: 'name' } },
        }),
        event('other@x', { eventType: 'user.mfa.factor.activate', ...at('1h'), target: [{ alternateId: 'victim@x' }] }),
        event('self@x', { eventType: 'user.mfa.factor.activate', ...at('1h'), target: [{ alternateId: 'self@x' }] }),
      ],
    },
    [
      {
        admin_email: 'weak@x',
        is_first_time_security_weakening: true,
        recent_total_weakenings: 1,
        anomaly_severity_score: 10,
      },
      { admin_email: 'other@x', is_first_time_admin_enrollment: true, anomaly_severity_score: 3 },
    ],
  ),
  okta_support_access: gives(
    {
      [okta]: [
        event('a', { eventType: 'user.session.impersonation.grant', ago: '900d' }),
        event('b', { eventType: 'user.session.impersonation.initiate', at: '2022-02-01T00:00:00Z' }),
        event('c', { eventType: 'user.session.impersonation.initiate' }),
        event('d', { at: '2022-02-01T00:00:00Z' }),
      ],
    },
    [{ actor_email: 'a' }, { actor_email: 'b' }],
  ),
  okta_swa_bulk_access_behavioral_query: gives(
    {
      [okta]: [
        ...times(10, (n) => swa('bulk@x', n)),
        ...times(4, (n) => swa('known@x', n)),
        ...times(4, (n) => swa('moved@x', n, '6.6.6.6')),
        ...times(2, (n) => swa('few@x', n)),
      ],
      [baseline]: ['known@x', 'moved@x'].map((user_email) => ({
        user_email,
        baseline_total_swa_events: 50,
        mean_swa_events_per_hour: 4,
        stddev_swa_events_per_hour: 1,
        mean_app_diversity_per_hour: 4,
        stddev_app_diversity_per_hour: 1,
        swa_known_ips: ['1.1.1.1'],
        swa_known_user_agents: ['ua'],
      })),
    },
    [
      { admin_email: 'bulk@x', is_first_time_bulk_swa_access: true, recent_total_swa_events: 10 },
      { admin_email: 'moved@x', has_new_ip: true, new_ip_count: 1, is_swa_volume_anomaly: false },
    ],
  ),
  okta_swa_offhours_access_behavioral_query: gives(
    {
      [okta]: [
        ...times(3, (n) => change('cold@x', `v${n}@x`)),
        ...times(2, (n) => change('few@x', `v${n}@x`)),
        change('usual@x', 'v@x'),
        change('moved@x', 'v@x', 'US'),
      ],
      [baseline]: ['usual@x', 'moved@x'].map((user_email) => ({
        user_email,
        primary_country: 'DE',
        primary_city: 'DE',
        active_utc_hour_slots: [35],
        mean_inactive_slot_ratio_per_hour: 0.5,
        stddev_inactive_slot_ratio_per_hour: 0.5,
      })),
    },
    [
      {
        admin_email: 'cold@x',
        is_cold_start: true,
        recent_total_credential_access: 3,
        recent_inactive_slot_events: 0,
        anomaly_severity_score: 1.5,
      },
      { admin_email: 'moved@x', is_geographic_shift: true, recent_inactive_slot_events: 0, anomaly_severity_score: 5 },
    ],
  ),
};
