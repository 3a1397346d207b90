import { gives, picks, type Row, type Seeds, times } from './seed.ts';

const trail = 'AWS.CloudTrail';
const role = (name: string): Row => ({
  arn: `arn:aws:iam::1:${name}`,
  principalId: name,
  type: 'AssumedRole',
  userName: name,
});
const flow = 'AWS.VPCFlow';
const port = (index: number, more: Row = {}): Row => ({
  srcAddr: '10.0.0.1',
  dstAddr: '1.2.3.4',
  srcPort: 5000,
  dstPort: 1000 + index,
  vpcId: 'v',
  region: 'r',
  subNetId: 's',
  flowDirection: 'egress',
  ...more,
});
const image = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateImage',
  recipientAccountId: '1',
  userAgent: 'cli',
  userIdentity: role('a'),
};
const get = (key: string, bytes: number, more: Row = {}): Row => ({
  eventName: 'GetObject',
  eventSource: 's3.amazonaws.com',
  userIdentity: role('a'),
  requestParameters: { bucketName: 'b', key },
  sourceIPAddress: '9.9.9.9',
  userAgent: 'ua',
  additionalEventData: { bytesTransferredOut: bytes },
  ago: '5m',
  ...more,
});
const login = (ip: string, more: Row = {}): Row => ({
  eventName: 'ConsoleLogin',
  eventSource: 'signin.amazonaws.com',
  sourceIPAddress: ip,
  ...more,
});

export const awsSeeds: Seeds = {
  AWS_Authentication_from_CrowdStrike_Unmanaged_Device_FDREvent: picks(
    trail,
    [login('8.8.8.8')],
    [login('7.7.7.7'), login('8.8.8.8', { eventName: 'ListBuckets' }), login('8.8.8.8', { ago: '2d' })],
    {
      'Crowdstrike.FDREvent': [
        { aip: '7.7.7.7', fdr_event_type: 'aid_master' },
        { aip: '8.8.8.8', fdr_event_type: 'other' },
        { aip: '8.8.8.8', fdr_event_type: 'aid_master', ago: '4d' },
      ],
    },
  ),
  AWS_Authentication_from_CrowdStrike_Unmanaged_Device_Query: picks(
    trail,
    [login('8.8.8.8')],
    [login('7.7.7.7'), login('8.8.8.8', { ago: '2h' })],
    { 'Crowdstrike.AIDMaster': [{ aip: '7.7.7.7' }] },
  ),
  anomalous_access_denied_query: gives(
    {
      [trail]: [
        ...times(11, (n) => ({ errorCode: 'AccessDenied', eventName: `E${n}`, userIdentity: role('a') })),
        ...times(20, () => ({ errorCode: 'AccessDenied', eventName: 'E', userIdentity: role('b') })),
        ...times(11, (n) => ({ errorCode: 'AccessDenied', eventName: `E${n}`, userIdentity: role('c'), ago: '2d' })),
      ],
    },
    [{ arn: 'arn:aws:iam::1:a', distinctEventNames: 11 }],
  ),
  anomalous_role_assume_query: gives(
    {
      [trail]: [
        ...['x', 'y', 'AWS Internal'].map((userAgent) => ({
          eventSource: 'sts.amazonaws.com',
          eventName: 'AssumeRole',
          requestParameters: { roleArn: 'r1' },
          userIdentity: role('a'),
          userAgent,
        })),
        {
          eventSource: 'sts.amazonaws.com',
          eventName: 'AssumeRole',
          requestParameters: { roleArn: 'r2' },
          userIdentity: role('a'),
          userAgent: 'x',
        },
        ...['x', 'y'].map((userAgent) => ({
          eventSource: 'sts.amazonaws.com',
          eventName: 'AssumeRole',
          userIdentity: role('a'),
          userAgent,
        })),
      ],
    },
    [{ roleArn: 'r1', principalId: 'a', distinctUserAgents: 2 }],
  ),
  anomalous_vpc_port_activity_query: gives(
    {
      [flow]: [
        ...times(10, (n) => port(n)),
        ...times(9, (n) => port(n, { srcAddr: '10.0.0.2' })),
        ...times(12, (n) => port(n, { srcAddr: '10.0.0.3', flowDirection: 'ingress' })),
        ...times(12, () => port(0, { srcAddr: '10.0.0.4', dstPort: 443 })),
      ],
    },
    [{ srcAddr: '10.0.0.1', dstAddr: '1.2.3.4', distinctDstPorts: 10, vpcId: 'v' }],
  ),
  anomalous_vpc_traffic_to_dest_port_query: gives(
    {
      [flow]: [
        ...times(100, (n) => ({
          ...port(0, { dstPort: 22, dstAddr: '8.8.8.8', bytes: n % 2 === 0 ? 100 : 110 }),
          ago: `${n + 2}h`,
        })),
        { ...port(0, { dstPort: 22, dstAddr: '8.8.8.8', bytes: 100000 }), ago: '10m' },
        ...times(100, (n) => ({
          ...port(0, { srcAddr: '10.0.0.9', dstPort: 22, dstAddr: '8.8.8.8', bytes: n % 2 === 0 ? 100 : 110 }),
          ago: `${n + 2}h`,
        })),
        { ...port(0, { srcAddr: '10.0.0.9', dstPort: 22, dstAddr: '8.8.8.8', bytes: 105 }), ago: '10m' },
        { ...port(0, { dstPort: 22, dstAddr: '10.1.1.1', bytes: 1e9 }), ago: '10m' },
      ],
    },
    [{ srcAddr: '10.0.0.1', N: 100000 }],
  ),
  aws_potentially_compromised_service_role_query: gives(
    {
      [trail]: [
        ...['AWSService', 'IAMUser'].map((type) => ({
          eventName: 'AssumeRole',
          requestParameters: { roleArn: 'r1' },
          userIdentity: { principalId: `p-${type}`, type },
        })),
        ...['A', 'B'].map((type) => ({
          eventName: 'AssumeRole',
          requestParameters: { roleArn: 'r2' },
          userIdentity: { principalId: 'p', type },
        })),
        { eventName: 'AssumeRole', requestParameters: { roleArn: 'r3' }, userIdentity: { type: 'AWSService' } },
        ...['AWSService', 'IAMUser'].map((type) => ({
          eventName: 'AssumeRole',
          errorCode: 'x',
          requestParameters: { roleArn: 'r4' },
          userIdentity: { type },
        })),
      ],
    },
    [{ role: 'r1', types: ['AWSService', 'IAMUser'] }],
  ),
  aws_s3_large_download_specific_bucket_query: gives(
    {
      [trail]: [
        get('a', 30_000_000),
        get('b', 30_000_000),
        get('c', 90_000_000, { userIdentity: role('panther-snowflake-api') }),
        get('d', 90_000_000, { ago: '15m' }),
        get('e', 90_000_000, { errorCode: 'x' }),
        get('f', 10, { userIdentity: role('small') }),
        get('g', 90_000_000, { userIdentity: { ...role('s'), type: 'AWSService' } }),
      ],
    },
    [
      {
        user_arn: 'arn:aws:iam::1:a',
        user_name: 'a',
        bucket_name: 'b',
        total_bytes_downloaded: 60_000_000,
        object_count: 2,
        sample_objects: ['a', 'b'],
      },
    ],
  ),
  aws_ssm_multiple_sessions_query: picks(
    trail,
    times(3, (n) => ({ eventName: 'StartSession', requestParameters: { target: `t${n}` }, userIdentity: role('a') })),
    [
      ...times(3, () => ({ eventName: 'StartSession', requestParameters: { target: 't' }, userIdentity: role('b') })),
      ...times(3, (n) => ({
        eventName: 'StartSession',
        requestParameters: { target: `t${n}` },
        userIdentity: role('c'),
        ago: '2h',
      })),
    ],
  ),
  cloudtrail_2_minute_count_query: gives(
    { [trail]: [...times(3, () => ({ eventName: 'x', ago: '1m' })), { eventName: 'x', ago: '10m' }] },
    [{ num_logs: 3, p_log_type: 'AWS.CloudTrail' }],
  ),
  cloudtrail_password_spraying_query: gives(
    {
      [trail]: [
        ...times(12, (n) => ({
          eventType: 'AwsConsoleSignIn',
          awsRegion: 'r',
          recipientAccountId: '1',
          responseElements: { ConsoleLogin: 'Failure' },
          userIdentity: role(`u${n % 6}`),
        })),
        ...times(12, () => ({
          eventType: 'AwsConsoleSignIn',
          awsRegion: 'r',
          recipientAccountId: '2',
          responseElements: { ConsoleLogin: 'Failure' },
          userIdentity: role('u'),
        })),
        ...times(12, (n) => ({
          eventType: 'AwsConsoleSignIn',
          awsRegion: 'r',
          recipientAccountId: '3',
          responseElements: { ConsoleLogin: 'Success' },
          userIdentity: role(`u${n}`),
        })),
      ],
    },
    [{ region: 'r', accountid: '1', distinctUserNames: 6, failures: 12 }],
  ),
  ec2_crud_activity_by_role_query: gives(
    {
      [trail]: [
        image,
        image,
        { ...image, eventName: 'DescribeImages' },
        { ...image, eventSource: 's3.amazonaws.com' },
        { ...image, ago: '4d' },
      ],
    },
    [{ num_logs: 2, arn: 'arn:aws:iam::1:a', eventName: 'CreateImage' }],
  ),
  ec2_crud_activity_by_useragent_query: gives(
    { [trail]: [image, { ...image, userAgent: 'sdk' }, { ...image, eventName: 'RunInstances' }] },
    [
      { num_logs: 1, userAgent: 'cli' },
      { num_logs: 1, userAgent: 'sdk' },
    ],
  ),
  ec2_discovery_commands_query: picks(
    trail,
    ['ListBuckets', 'ListRoles', 'ListUsers'].map((eventName) => ({
      eventName,
      userIdentity: { arn: 'arn:aws:sts::1:assumed-role/x/i-0abc' },
    })),
    [
      ...['ListBuckets', 'ListRoles', 'ListUsers'].map((eventName) => ({
        eventName,
        userIdentity: { arn: 'arn:aws:sts::1:assumed-role/x/bob' },
      })),
      ...['ListBuckets', 'ListRoles', 'Other'].map((eventName) => ({
        eventName,
        userIdentity: { arn: 'arn:aws:sts::1:assumed-role/x/i-0def' },
      })),
    ],
  ),
  vpc_dns_tunneling_query: gives(
    {
      'AWS.VPCDns': [
        ...times(1000, () => ({
          account_id: '1',
          region: 'r',
          vpc_id: 'v',
          srcAddr: 'a',
          srcIds: { instance: 'i-1' },
          query_name: 'evil.example',
        })),
        ...times(999, () => ({
          account_id: '1',
          region: 'r',
          vpc_id: 'v',
          srcAddr: 'b',
          srcIds: { instance: 'i-2' },
          query_name: 'evil.example',
        })),
        ...times(1000, (n) => ({
          account_id: '1',
          region: 'r',
          vpc_id: 'v',
          srcAddr: 'c',
          srcIds: { instance: 'i-3' },
          query_name: `n${n}.example`,
        })),
        ...times(1000, () => ({
          account_id: '1',
          region: 'r',
          vpc_id: 'v',
          srcAddr: 'd',
          query_name: 'x.amazonaws.com',
        })),
      ],
    },
    [{ srcAddr: 'a', instance: 'i-1', message_count: 1000, query_names: ['evil.example'] }],
  ),
};
