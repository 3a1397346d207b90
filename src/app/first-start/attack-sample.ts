/**
 * A made-up attack, told in five log types amid ordinary traffic: a web server is probed, a user is worn down with push
 * messages, an administrator is made, code becomes public, and the cloud account is taken over. Nothing in it is real.
 */

export type SampleEvent = { readonly logType: string; readonly line: string };

type Random = () => number;

/** Small repeatable generator (mulberry32): the same seed tells the same story. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const attacker = '45.148.10.66';
const account = '111122223333';
const people = ['dana', 'kim', 'noor', 'sam', 'toni', 'yuki'];

type Scene = { readonly at: Date; readonly random: Random; readonly number: number };

const pick = <T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T =>
  list[Math.floor(random() * list.length)] as T;
const hex = (random: Random, length: number): string =>
  Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
const uuid = (random: Random): string => [8, 4, 4, 4, 12].map((length) => hex(random, length)).join('-');
const inside = (random: Random): string => `10.0.${Math.floor(random() * 8)}.${1 + Math.floor(random() * 250)}`;
const visitor = (random: Random): string => `198.51.${Math.floor(random() * 256)}.${1 + Math.floor(random() * 250)}`;

function cloudTrail({ at, random }: Scene, fields: object): SampleEvent {
  const user = pick(random, people);
  const event = {
    eventVersion: '1.10',
    eventTime: `${at.toISOString().slice(0, 19)}Z`,
    eventID: uuid(random),
    requestID: uuid(random),
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    awsRegion: 'eu-west-1',
    recipientAccountId: account,
    sourceIPAddress: visitor(random),
    userAgent: 'aws-cli/2.15.0',
    eventSource: 'ec2.amazonaws.com',
    eventName: pick(random, ['DescribeInstances', 'DescribeSubnets', 'DescribeVolumes']),
    readOnly: true,
    managementEvent: true,
    userIdentity: {
      type: 'IAMUser',
      userName: user,
      principalId: `AIDA${hex(random, 12).toUpperCase()}`,
      accountId: account,
      arn: `arn:aws:iam::${account}:user/${user}`,
    },
    requestParameters: null,
    responseElements: null,
    ...fields,
  };
  return { logType: 'AWS.CloudTrail', line: JSON.stringify(event) };
}

function okta({ at, random }: Scene, fields: object): SampleEvent {
  const user = pick(random, people);
  const event = {
    uuid: uuid(random),
    published: at.toISOString(),
    eventType: 'user.session.start',
    version: '0',
    severity: 'INFO',
    displayMessage: 'User login to Okta',
    actor: { id: `00u${hex(random, 14)}`, type: 'User', alternateId: `${user}@example.com`, displayName: user },
    client: {
      ipAddress: visitor(random),
      device: 'Computer',
      zone: 'null',
      userAgent: { os: 'Linux', browser: 'FIREFOX', rawUserAgent: 'Mozilla/5.0' },
    },
    outcome: { result: 'SUCCESS' },
    target: [
      {
        id: `00u${hex(random, 14)}`,
        type: 'User',
        alternateId: `${pick(random, people)}@example.com`,
        displayName: 'target',
      },
    ],
    ...fields,
  };
  return { logType: 'Okta.SystemLog', line: JSON.stringify(event) };
}

function github({ at, random }: Scene, fields: object): SampleEvent {
  const event = {
    '@timestamp': at.getTime(),
    _document_id: hex(random, 22),
    action: pick(random, ['git.clone', 'pull_request.create', 'workflows.completed_workflow_run']),
    actor: pick(random, people),
    actor_ip: visitor(random),
    org: 'example',
    repo: `example/${pick(random, ['app', 'site', 'tools'])}`,
    created_at: at.getTime(),
    ...fields,
  };
  return { logType: 'GitHub.Audit', line: JSON.stringify(event) };
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

function nginx({ at, random }: Scene, address: string, request: string, status: number): SampleEvent {
  const time = `${two(at.getUTCDate())}/${monthNames[at.getUTCMonth()] ?? 'Jan'}/${at.getUTCFullYear()}:${at.toISOString().slice(11, 19)} +0000`;
  return {
    logType: 'Nginx.Access',
    line: `${address} - - [${time}] "${request}" ${status} ${Math.floor(random() * 9000)} "-" "Mozilla/5.0" "-"`,
  };
}

export const flowHeader =
  'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status';

function flow({ at, random }: Scene, source: string, target: string, port: number, action: string): SampleEvent {
  const start = Math.floor(at.getTime() / 1000);
  const packets = 1 + Math.floor(random() * 40);
  const line = `2 ${account} eni-${hex(random, 17)} ${source} ${target} ${1024 + Math.floor(random() * 60_000)} ${port} 6 ${packets} ${packets * 90} ${start} ${start + 20} ${action} OK`;
  return { logType: 'AWS.VPCFlow', line };
}

const mallory = { type: 'IAMUser', userName: 'sam', accountId: account, arn: `arn:aws:iam::${account}:user/sam` };
const everywhere = { items: [{ fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] };
const asAttacker = (fields: object) => ({
  sourceIPAddress: attacker,
  userIdentity: mallory,
  readOnly: false,
  ...fields,
});
const pushRefused = {
  eventType: 'user.authentication.auth_via_mfa',
  outcome: { result: 'FAILURE', reason: 'REJECTED' },
  actor: { id: '00u1', type: 'User', alternateId: 'sam@example.com', displayName: 'sam' },
  client: { ipAddress: attacker },
};

/** The steps of the attack in order; each happens once. */
const steps: readonly ((scene: Scene) => SampleEvent)[] = [
  (scene) => nginx(scene, attacker, 'GET /static/../../../etc/passwd HTTP/1.1', 400),
  (scene) => nginx(scene, attacker, 'GET /.git/config HTTP/1.1', 404),
  ...Array.from({ length: 6 }, () => (scene: Scene) => okta(scene, pushRefused)),
  (scene) =>
    okta(scene, {
      eventType: 'user.account.privilege.grant',
      displayMessage: 'Grant user privilege',
      client: { ipAddress: attacker },
    }),
  (scene) =>
    github(scene, { action: 'protected_branch.destroy', actor: 'sam', repo: 'example/app', actor_ip: attacker }),
  (scene) =>
    github(scene, {
      action: 'repo.access',
      actor: 'sam',
      repo: 'example/app',
      visibility: 'public',
      previous_visibility: 'private',
      actor_ip: attacker,
    }),
  (scene) =>
    cloudTrail(scene, {
      eventName: 'ConsoleLogin',
      eventSource: 'signin.amazonaws.com',
      eventType: 'AwsConsoleSignIn',
      sourceIPAddress: attacker,
      userIdentity: { type: 'Root', accountId: account, arn: `arn:aws:iam::${account}:root` },
      responseElements: { ConsoleLogin: 'Success' },
      additionalEventData: { MFAUsed: 'No' },
    }),
  (scene) =>
    cloudTrail(
      scene,
      asAttacker({
        eventName: 'CreateAccessKey',
        eventSource: 'iam.amazonaws.com',
        requestParameters: { userName: 'backup' },
      }),
    ),
  (scene) =>
    cloudTrail(
      scene,
      asAttacker({
        eventName: 'AttachUserPolicy',
        eventSource: 'iam.amazonaws.com',
        requestParameters: { userName: 'backup', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
      }),
    ),
  (scene) =>
    cloudTrail(
      scene,
      asAttacker({
        eventName: 'AuthorizeSecurityGroupIngress',
        requestParameters: { groupId: 'sg-0a1b2c3d', ipPermissions: everywhere },
      }),
    ),
  (scene) => flow(scene, attacker, '10.0.1.5', 22, 'ACCEPT'),
  (scene) =>
    cloudTrail(
      scene,
      asAttacker({
        eventName: 'StopLogging',
        eventSource: 'cloudtrail.amazonaws.com',
        requestParameters: { name: 'main' },
      }),
    ),
];

const ordinary: readonly ((scene: Scene) => SampleEvent)[] = [
  (scene) => cloudTrail(scene, {}),
  (scene) => okta(scene, {}),
  (scene) => github(scene, {}),
  (scene) =>
    nginx(
      scene,
      visitor(scene.random),
      `GET /products/${Math.floor(scene.random() * 5000)} HTTP/1.1`,
      pick(scene.random, [200, 200, 200, 304, 404]),
    ),
  (scene) => flow(scene, inside(scene.random), inside(scene.random), pick(scene.random, [443, 5432, 8080]), 'ACCEPT'),
];

/** `eventCount` events that end at `now`, the attack spread evenly among them. */
export function attackSample({
  now,
  seed,
  eventCount,
}: {
  readonly now: Date;
  readonly seed: number;
  readonly eventCount: number;
}): readonly SampleEvent[] {
  const random = randomOf(seed);
  const stride = Math.max(1, Math.floor(eventCount / (steps.length + 1)));
  return Array.from({ length: eventCount }, (_, number) => {
    const scene = { at: new Date(now.getTime() - (eventCount - number) * 50), random, number };
    const step = number % stride === stride - 1 ? steps[Math.floor(number / stride)] : undefined;
    return (step ?? pick(random, ordinary))(scene);
  });
}
