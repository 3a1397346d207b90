import type { LakeColumn } from '#lake';
import { createRandom } from '../../chaos/random.ts';

/** One log type of the mixed lake: its share of all rows, and a row of it. */
export type SearchLogType = {
  readonly logType: string;
  readonly share: number;
  readonly columns: readonly LakeColumn[];
  /** The event as it came, and the indicators found in it. */
  readonly event: (draw: Draw) => { readonly fields: object; readonly ips: readonly string[]; readonly more: object };
};

type Draw = ReturnType<typeof createDraw>;

const hexDigits = '0123456789abcdef';

/** Draws what the values of an event are made of; the same seed draws the same. */
export function createDraw(seed: number) {
  const random = createRandom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const hex = (length: number): string => Array.from({ length }, () => hexDigits[below(16)]).join('');
  return {
    below,
    hex,
    /** Few are frequent, most are rare, as people and machines are. */
    skewed: (most: number): number => Math.floor(most * random() ** 3),
    uuid: (): string => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    of: <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item,
    address: (): string => `10.${below(4)}.${below(256)}.${below(256)}`,
  };
}

const text = (name: string): LakeColumn => ({ name, type: 'string' });
const number = (name: string): LakeColumn => ({ name, type: 'bigint' });
const object = (name: string): LakeColumn => ({ name, type: 'object' });

const eventNames = Array.from(
  { length: 200 },
  (_, index) => `${['Get', 'List', 'Describe', 'Put'][index % 4]}Thing${index}`,
);
const agents = Array.from(
  { length: 500 },
  (_, index) => `aws-cli/2.${index % 40}.0 Python/3.${index % 13} Boto3/1.${index}`,
);
const regions = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-south-1'];

const cloudTrail: SearchLogType = {
  logType: 'AWS.CloudTrail',
  share: 0.4,
  columns: [
    ...['eventVersion', 'eventSource', 'eventName', 'awsRegion', 'sourceIPAddress', 'userAgent', 'errorCode'].map(text),
    ...['requestID', 'eventID', 'eventType', 'recipientAccountId'].map(text),
    object('userIdentity'),
    object('requestParameters'),
  ],
  event(draw) {
    const user = `user-${draw.skewed(5000)}`;
    const account = `1234567${String(draw.below(20)).padStart(5, '0')}`;
    const ip = draw.address();
    const arn = `arn:aws:sts::${account}:assumed-role/role-${draw.skewed(300)}/${user}`;
    return {
      fields: {
        eventVersion: '1.08',
        eventSource: `${draw.of(['s3', 'ec2', 'iam', 'kms', 'lambda'])}.amazonaws.com`,
        eventName: eventNames[draw.skewed(eventNames.length)],
        awsRegion: draw.of(regions),
        sourceIPAddress: ip,
        userAgent: agents[draw.skewed(agents.length)],
        ...(draw.below(20) === 0 ? { errorCode: 'AccessDenied' } : {}),
        requestID: draw.uuid(),
        eventID: draw.uuid(),
        eventType: 'AwsApiCall',
        recipientAccountId: account,
        userIdentity: {
          type: 'AssumedRole',
          principalId: `AROA${draw.hex(16).toUpperCase()}:${user}`,
          arn,
          accountId: account,
          userName: user,
          sessionContext: { attributes: { mfaAuthenticated: draw.below(2) === 0 ? 'true' : 'false' } },
        },
        requestParameters: { bucketName: `bucket-${draw.skewed(2000)}`, key: `data/${draw.hex(24)}.json` },
      },
      ips: [ip],
      more: { p_any_aws_account_ids: [account], p_any_aws_arns: [arn], p_any_usernames: [user] },
    };
  },
};

const vpcFlow: SearchLogType = {
  logType: 'AWS.VPCFlow',
  share: 0.4,
  columns: [
    ...['account', 'interfaceId', 'srcAddr', 'dstAddr', 'action', 'status', 'vpcId', 'subNetId'].map(text),
    ...['srcPort', 'dstPort', 'protocol', 'packets', 'bytes'].map(number),
  ],
  event(draw) {
    const [srcAddr, dstAddr] = [draw.address(), draw.address()];
    return {
      fields: {
        account: `1234567${String(draw.below(20)).padStart(5, '0')}`,
        interfaceId: `eni-${draw.skewed(4000).toString(16).padStart(17, '0')}`,
        srcAddr,
        dstAddr,
        srcPort: 1024 + draw.below(60_000),
        dstPort: draw.of([22, 53, 80, 443, 443, 443, 5432, 3306]),
        protocol: draw.of([6, 6, 6, 17]),
        packets: 1 + draw.skewed(1000),
        bytes: 40 + draw.skewed(1_000_000),
        action: draw.below(30) === 0 ? 'REJECT' : 'ACCEPT',
        status: 'OK',
        vpcId: `vpc-${draw.below(20).toString(16).padStart(17, '0')}`,
        subNetId: `subnet-${draw.below(100).toString(16).padStart(17, '0')}`,
      },
      ips: [srcAddr, dstAddr],
      more: {},
    };
  },
};

const okta: SearchLogType = {
  logType: 'Okta.SystemLog',
  share: 0.2,
  columns: [
    ...['uuid', 'eventType', 'version', 'severity', 'displayMessage'].map(text),
    ...['actor', 'client', 'outcome', 'debugContext'].map(object),
  ],
  event(draw) {
    const ip = draw.address();
    const email = `user-${draw.skewed(5000)}@example.com`;
    return {
      fields: {
        uuid: draw.uuid(),
        eventType: draw.of(['user.session.start', 'user.authentication.sso', 'policy.evaluate_sign_on', 'app.access']),
        version: '0',
        severity: draw.below(50) === 0 ? 'WARN' : 'INFO',
        displayMessage: 'User login to Okta',
        actor: { id: `00u${draw.hex(17)}`, type: 'User', alternateId: email, displayName: email.split('@')[0] },
        client: {
          ipAddress: ip,
          device: 'Computer',
          userAgent: { rawUserAgent: draw.of(agents), os: 'Mac OS X', browser: 'CHROME' },
          geographicalContext: {
            country: draw.of(['United States', 'Germany', 'India']),
            city: `City ${draw.skewed(400)}`,
          },
        },
        outcome: { result: draw.below(15) === 0 ? 'FAILURE' : 'SUCCESS' },
        debugContext: { debugData: { requestId: draw.uuid(), requestUri: `/api/v1/${draw.hex(8)}` } },
      },
      ips: [ip],
      more: { p_any_emails: [email], p_any_usernames: [email] },
    };
  },
};

/** The log types of the mixed lake; their shares add up to one. */
export const searchLogTypes: readonly SearchLogType[] = [cloudTrail, vpcFlow, okta];
