type Row = Readonly<Record<string, unknown>>;

/** Rows that a shipped search must find something in, rows it must not find, and what it finds. */
export type Example = {
  readonly rows: Readonly<Record<string, readonly Row[]>>;
  /** Values of the first columns of each row found, in order. */
  readonly found: readonly (readonly unknown[])[];
};

const trail = (fields: Row): Row => ({ recipientAccountId: '123456789012', sourceIPAddress: '192.0.2.1', ...fields });
const old = { at: '2026-01-01T00:00:00Z' };
const user = (name: string): Row => ({ arn: `arn:aws:iam::1:user/${name}`, userName: name });
const signIn = (name: string, mfa: string, result = 'Success', more: Row = {}): Row =>
  trail({
    eventName: 'ConsoleLogin',
    userIdentity: user(name),
    responseElements: JSON.stringify({ ConsoleLogin: result }),
    additionalEventData: JSON.stringify({ MFAUsed: mfa }),
    ...more,
  });
const denied = (name: string, eventName: string): Row =>
  trail({ eventName, eventSource: 's3.amazonaws.com', errorCode: 'AccessDenied', userIdentity: user(name) });
const flow = (srcAddr: string, dstAddr: string, dstPort: number, action: string, more: Row = {}): Row => ({
  srcAddr,
  dstAddr,
  dstPort,
  action,
  packets: 2,
  bytes: 100,
  ...more,
});
const access = (remoteAddr: string, path: string, status: number): Row => ({
  remoteAddr,
  request: `GET ${path} HTTP/1.1`,
  status,
});
const okta = (eventType: string, who: string, result: string, more: Row = {}): Row => ({
  eventType,
  actor: { id: '1', type: 'User', alternateId: who },
  client: { ipAddress: '192.0.2.7' },
  outcome: { result },
  ...more,
});
const from = (country: string): Row => ({
  client: { ipAddress: '192.0.2.7', geographicalContext: { country } },
});

const balanced = (clientIp: string, path: string, status: number, target: number | null, seconds = 0.1): Row => ({
  elb: 'app/front',
  clientIp,
  targetIp: target === null ? null : '10.0.0.5',
  requestUrl: `https://example.com${path}`,
  elbStatusCode: status,
  targetStatusCode: target,
  targetProcessingTime: seconds,
  userAgent: 'curl',
});
const s3 = (operation: string, requester: string, key: string, more: Row = {}): Row => ({
  bucketowner: 'owner',
  bucket: 'b',
  operation,
  requester,
  key,
  remoteip: '192.0.2.1',
  httpstatus: 200,
  bytessent: 100,
  ...more,
});
const finding = (id: string, type: string, severity: number, more: Row = {}): Row => ({
  id,
  type,
  severity,
  accountId: '123456789012',
  region: 'eu-west-1',
  title: type,
  ...more,
});

export const examples: Readonly<Record<string, Example>> = {
  'CloudTrail: console sign-ins without MFA': {
    rows: {
      'AWS.CloudTrail': [
        signIn('dana', 'No'),
        signIn('kim', 'Yes'),
        signIn('lee', 'No', 'Failure'),
        signIn('old', 'No', 'Success', old),
      ],
    },
    found: [['2026-06-15 11:50:00.000', '123456789012', 'dana', '192.0.2.1', null]],
  },
  'CloudTrail: who is denied most': {
    rows: {
      'AWS.CloudTrail': [
        denied('dana', 'GetObject'),
        denied('dana', 'PutObject'),
        denied('kim', 'GetObject'),
        trail({ eventName: 'GetObject', userIdentity: user('lee') }),
      ],
    },
    found: [
      ['arn:aws:iam::1:user/dana', 2, 2, ['s3.amazonaws.com']],
      ['arn:aws:iam::1:user/kim', 1, 1, ['s3.amazonaws.com']],
    ],
  },
  'CloudTrail: access keys that were made': {
    rows: {
      'AWS.CloudTrail': [
        trail({
          eventName: 'CreateAccessKey',
          userIdentity: user('dana'),
          responseElements: '{"accessKey":{"userName":"robot","accessKeyId":"AKIAX"}}',
        }),
        trail({ eventName: 'CreateAccessKey', userIdentity: user('lee'), errorCode: 'AccessDenied' }),
        trail({ eventName: 'GetObject', eventID: 'a', userIdentity: { accessKeyId: 'AKIAX' } }),
        trail({
          eventName: 'GetObject',
          eventID: 'b',
          userIdentity: { accessKeyId: 'AKIAX' },
          sourceIPAddress: 'other',
        }),
        trail({ eventName: 'GetObject', eventID: 'c', userIdentity: { accessKeyId: 'AKIAY' } }),
      ],
    },
    found: [['2026-06-15 11:50:00.000', 'arn:aws:iam::1:user/dana', 'robot', 'AKIAX', 2, 2]],
  },
  'VPC: who knocks on many ports': {
    rows: {
      'AWS.VPCFlow': [
        ...Array.from({ length: 12 }, (_, port) => flow('198.51.100.1', '10.0.0.1', port + 1, 'REJECT')),
        ...Array.from({ length: 12 }, (_, port) => flow('198.51.100.2', '10.0.0.1', port + 1, 'ACCEPT')),
        flow('198.51.100.3', '10.0.0.1', 22, 'REJECT'),
      ],
    },
    found: [['198.51.100.1', 12, 1, 24]],
  },
  'VPC: largest transfers to the outside': {
    rows: {
      'AWS.VPCFlow': [
        flow('10.0.0.1', '198.51.100.1', 443, 'ACCEPT', { bytes: 900 }),
        flow('172.20.0.1', '198.51.100.1', 443, 'ACCEPT', { bytes: 500 }),
        flow('10.0.0.1', '192.168.1.1', 443, 'ACCEPT', { bytes: 5000 }),
        flow('10.0.0.1', '198.51.100.2', 443, 'REJECT', { bytes: 5000 }),
        flow('198.51.100.9', '10.0.0.1', 443, 'ACCEPT', { bytes: 5000 }),
      ],
    },
    found: [
      ['10.0.0.1', '198.51.100.1', 443, 900],
      ['172.20.0.1', '198.51.100.1', 443, 500],
    ],
  },
  'VPC: accepted from the internet on ports of administrators': {
    rows: {
      'AWS.VPCFlow': [
        flow('198.51.100.1', '10.0.0.1', 22, 'ACCEPT'),
        flow('198.51.100.2', '10.0.0.1', 22, 'ACCEPT'),
        flow('10.0.0.9', '10.0.0.1', 22, 'ACCEPT'),
        flow('198.51.100.1', '10.0.0.1', 443, 'ACCEPT'),
        flow('198.51.100.1', '10.0.0.2', 3389, 'REJECT'),
      ],
    },
    found: [['10.0.0.1', 22, 2, 4]],
  },
  'GitHub: repositories that became public': {
    rows: {
      'GitHub.Audit': [
        { action: 'repo.access', actor: 'dana', repo: 'x/y', visibility: 'public', previous_visibility: 'private' },
        { action: 'repo.access', actor: 'kim', repo: 'x/z', visibility: 'private', previous_visibility: 'public' },
        { action: 'git.clone', actor: 'lee', repo: 'x/y', visibility: 'public' },
        { action: 'repo.access', actor: 'old', repo: 'x/y', visibility: 'public', ...old },
      ],
    },
    found: [['2026-06-15 11:50:00.000', 'dana', 'x/y', 'private', 'public']],
  },
  'GitHub: protection of branches that was taken away': {
    rows: {
      'GitHub.Audit': [
        { action: 'protected_branch.destroy', actor: 'dana', repo: 'x/y' },
        { action: 'protected_branch.policy_override', actor: 'dana', repo: 'x/y' },
        { action: 'protected_branch.create', actor: 'kim', repo: 'x/y' },
      ],
    },
    found: [['x/y', 'dana', 1, 1]],
  },
  'GitHub: who cloned the most repositories': {
    rows: {
      'GitHub.Audit': [
        { action: 'git.clone', actor: 'dana', repo: 'x/a', actor_ip: '192.0.2.1' },
        { action: 'git.clone', actor: 'dana', repo: 'x/b', actor_ip: '192.0.2.1' },
        { action: 'git.clone', actor: 'dana', repo: 'x/b', actor_ip: '192.0.2.1' },
        { action: 'git.clone', actor: 'kim', repo: 'x/a' },
        { action: 'git.push', actor: 'lee', repo: 'x/a' },
      ],
    },
    found: [
      ['dana', 2, 3, ['192.0.2.1']],
      ['kim', 1, 1, []],
    ],
  },
  'S3: objects read without a name': {
    rows: {
      'AWS.S3ServerAccess': [
        s3('REST.GET.OBJECT', '-', 'a'),
        s3('REST.GET.OBJECT', '-', 'a', { remoteip: '192.0.2.2' }),
        s3('REST.GET.OBJECT', '-', 'a', { httpstatus: 403 }),
        s3('REST.GET.OBJECT', 'arn:aws:iam::1:user/dana', 'b'),
        s3('REST.PUT.OBJECT', '-', 'c'),
      ],
    },
    found: [['b', 'a', 2, 2, 200]],
  },
  'S3: who read the most': {
    rows: {
      'AWS.S3ServerAccess': [
        s3('REST.GET.OBJECT', 'dana', 'a', { bytessent: 900 }),
        s3('REST.GET.OBJECT', 'dana', 'b'),
        s3('REST.GET.OBJECT', 'kim', 'a'),
        s3('REST.PUT.OBJECT', 'lee', 'a', { bytessent: 9000 }),
      ],
    },
    found: [
      ['dana', 'b', 2, 1000, ['192.0.2.1']],
      ['kim', 'b', 1, 100, ['192.0.2.1']],
    ],
  },
  'S3: who deleted objects': {
    rows: {
      'AWS.S3ServerAccess': [
        s3('REST.DELETE.OBJECT', 'dana', 'a', { httpstatus: 204 }),
        s3('BATCH.DELETE.OBJECT', 'dana', 'b', { httpstatus: 204 }),
        s3('REST.DELETE.OBJECT', 'kim', 'a', { httpstatus: 403 }),
        s3('REST.GET.OBJECT', 'lee', 'a'),
      ],
    },
    found: [['dana', 'b', 2]],
  },
  'GuardDuty: severe findings': {
    rows: {
      'AWS.GuardDuty': [
        finding('1', 'Trojan', 8, { at: '2026-06-15T10:00:00Z', title: 'earlier' }),
        finding('1', 'Trojan', 8.5, { title: 'latest' }),
        finding('2', 'Recon', 2),
        finding('3', 'Trojan', 9, old),
      ],
    },
    found: [['2026-06-15 11:50:00.000', '123456789012', 'eu-west-1', 8.5, 'Trojan', 'latest', '1']],
  },
  'GuardDuty: kinds of findings by account': {
    rows: {
      'AWS.GuardDuty': [
        finding('1', 'Trojan', 8),
        finding('1', 'Trojan', 5),
        finding('2', 'Trojan', 5),
        finding('3', 'Recon', 2, { accountId: '210987654321' }),
        finding('4', 'Recon', 2, old),
      ],
    },
    found: [
      ['123456789012', 'Trojan', 2, 8],
      ['210987654321', 'Recon', 1, 2],
    ],
  },
  'ALB: targets that fail or are slow': {
    rows: {
      'AWS.ALB': [
        balanced('192.0.2.1', '/', 502, 500, 3),
        balanced('192.0.2.1', '/', 200, 200),
        balanced('192.0.2.1', '/', 404, null),
      ],
    },
    found: [['app/front', '10.0.0.5', 2, 1, 50, 3]],
  },
  'ALB: clients that look for what is not there': {
    rows: {
      'AWS.ALB': [
        ...Array.from({ length: 11 }, (_, index) => balanced('192.0.2.1', `/p${index}?x=1`, 404, 404)),
        ...Array.from({ length: 11 }, () => balanced('192.0.2.2', '/same', 404, 404)),
        ...Array.from({ length: 11 }, (_, index) => balanced('192.0.2.3', `/p${index}`, 200, 200)),
      ],
    },
    found: [['192.0.2.1', 11, 11, ['curl']]],
  },
  'Nginx: clients with the most errors': {
    rows: {
      'Nginx.Access': [
        access('192.0.2.1', '/a', 404),
        access('192.0.2.1', '/b', 500),
        access('192.0.2.1', '/', 200),
        access('192.0.2.2', '/', 200),
      ],
    },
    found: [['192.0.2.1', 3, 2, 66.7]],
  },
  'Nginx: paths that attackers try': {
    rows: {
      'Nginx.Access': [
        access('192.0.2.1', '/.env?x=1', 404),
        access('192.0.2.2', '/.env', 200),
        access('192.0.2.2', '/index.html', 200),
      ],
    },
    found: [['/.env', 2, 2, 1]],
  },
  'Okta: many failures, then a success': {
    rows: {
      'Okta.SystemLog': [
        ...Array.from({ length: 5 }, () =>
          okta('user.session.start', 'dana@example.com', 'FAILURE', { at: '2026-06-15T11:00:00Z' }),
        ),
        okta('user.session.start', 'dana@example.com', 'SUCCESS'),
        ...Array.from({ length: 5 }, () => okta('user.session.start', 'kim@example.com', 'FAILURE')),
        okta('user.session.start', 'lee@example.com', 'SUCCESS'),
      ],
    },
    found: [['dana@example.com', '192.0.2.7', 5, '2026-06-15 11:50:00.000']],
  },
  'Okta: administrators that were made': {
    rows: {
      'Okta.SystemLog': [
        okta('user.account.privilege.grant', 'dana@example.com', 'SUCCESS', {
          target: [
            { id: '2', type: 'User', alternateId: 'kim@example.com' },
            { id: '3', type: 'ROLE', alternateId: 'x' },
          ],
          debugContext: '{"debugData":{"privilegeGranted":"Super administrator"}}',
        }),
        okta('user.account.privilege.revoke', 'dana@example.com', 'SUCCESS', {
          target: [{ id: '2', type: 'User', alternateId: 'kim@example.com' }],
        }),
      ],
    },
    found: [['2026-06-15 11:50:00.000', 'dana@example.com', 'kim@example.com', 'Super administrator']],
  },
  'Okta: people in more than one country': {
    rows: {
      'Okta.SystemLog': [
        okta('user.session.start', 'dana@example.com', 'SUCCESS', from('Germany')),
        okta('user.session.start', 'dana@example.com', 'SUCCESS', from('Peru')),
        okta('user.session.start', 'kim@example.com', 'SUCCESS', from('Germany')),
        okta('user.session.start', 'kim@example.com', 'FAILURE', from('Peru')),
      ],
    },
    found: [['2026-06-15 00:00:00.000', 'dana@example.com']],
  },
};
