import { managedSchemas, schemaFields } from '#ingestion';
import type { LakeColumn } from '#lake';
import { createRandom } from '../../chaos/random.ts';

/** One log type of the mixed lake, with the columns of its shipped schema: its share of all rows, and a row of it. */
export type SearchLogType = {
  readonly logType: string;
  readonly share: number;
  readonly columns: readonly LakeColumn[];
  /** The event of a time in ISO 8601 as it came in, and the indicators found in it; both JSON objects as text. */
  readonly event: (draw: Draw, time: string) => { readonly raw: string; readonly indicators: string };
};

export type Draw = ReturnType<typeof createDraw>;

/** Four hexadecimal digits for each number of 16 bits. */
const hexQuads = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

/** Draws what the values of an event are made of; the same seed draws the same, and nothing comes again in 2^32 draws. */
export function createDraw(seed: number) {
  const random = createRandom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const quad = (): string => hexQuads[below(65_536)] as string;
  const hex = (length: number): string => {
    let text = '';
    while (text.length < length) text += quad();
    return text.slice(0, length);
  };
  return {
    below,
    hex,
    /** Few are frequent, most are rare, as people and machines are. */
    skewed: (most: number): number => Math.floor(most * random() ** 3),
    uuid: (): string => `${quad()}${quad()}-${quad()}-4${hex(3)}-a${hex(3)}-${quad()}${quad()}${quad()}`,
    of: <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item,
    address: (): string => `10.${below(4)}.${below(256)}.${below(256)}`,
  };
}

/** Columns as a shipped schema declares them. */
function shippedColumns(logType: string): readonly LakeColumn[] {
  const schema = managedSchemas().get(logType);
  if (schema === undefined) throw new Error(`No shipped schema is called ${logType}.`);
  return schemaFields(schema.specText).map(({ name, type, element }) => ({
    name,
    type,
    ...(element === undefined ? {} : { element: element.type }),
  }));
}

const eventNames = Array.from(
  { length: 200 },
  (_, index) => `${['Get', 'List', 'Describe', 'Put'][index % 4]}Thing${index}`,
);
const agents = Array.from(
  { length: 500 },
  (_, index) => `aws-cli/2.${index % 40}.0 Python/3.${index % 13} Boto3/1.${index}`,
);
const regions = ['us-east-1', 'eu-west-1', 'eu-central-1', 'ap-south-1'];
const account = (draw: Draw): string => `1234567${String(draw.below(20)).padStart(5, '0')}`;

const cloudTrail: SearchLogType = {
  logType: 'AWS.CloudTrail',
  share: 0.4,
  columns: shippedColumns('AWS.CloudTrail'),
  event(draw, time) {
    const user = `user-${draw.skewed(5000)}`;
    const [owner, ip, id] = [account(draw), draw.address(), draw.uuid()];
    const arn = `arn:aws:sts::${owner}:assumed-role/role-${draw.skewed(300)}/${user}`;
    const error = draw.below(20) === 0 ? ',"errorCode":"AccessDenied"' : '';
    const identity = `{"type":"AssumedRole","principalId":"AROA${draw.hex(16).toUpperCase()}:${user}","arn":"${arn}","accountId":"${owner}","userName":"${user}","sessionContext":{"attributes":{"mfaAuthenticated":"${draw.below(2) === 0}"}}}`;
    const parameters = `{"bucketName":"bucket-${draw.skewed(2000)}","key":"data/${draw.hex(24)}.json"}`;
    return {
      raw: `{"eventVersion":"1.08","eventTime":"${time}","eventSource":"${draw.of(['s3', 'ec2', 'iam', 'kms', 'lambda'])}.amazonaws.com","eventName":"${eventNames[draw.skewed(eventNames.length)]}","awsRegion":"${draw.of(regions)}","sourceIPAddress":"${ip}","userAgent":"${agents[draw.skewed(agents.length)]}"${error},"requestID":"${draw.uuid()}","eventID":"${id}","eventType":"AwsApiCall","recipientAccountId":"${owner}","userIdentity":${identity},"requestParameters":${parameters}}`,
      indicators: `{"p_any_ip_addresses":["${ip}"],"p_any_trace_ids":["${id}"],"p_any_aws_account_ids":["${owner}"],"p_any_aws_arns":["${arn}"],"p_any_usernames":["${user}"]}`,
    };
  },
};

const vpcFlow: SearchLogType = {
  logType: 'AWS.VPCFlow',
  share: 0.4,
  columns: shippedColumns('AWS.VPCFlow'),
  event(draw, time) {
    const [owner, from, to] = [account(draw), draw.address(), draw.address()];
    const card = `eni-${draw.skewed(4000).toString(16).padStart(17, '0')}`;
    const net = `"vpcId":"vpc-${draw.below(20).toString(16).padStart(17, '0')}","subNetId":"subnet-${draw.below(100).toString(16).padStart(17, '0')}"`;
    return {
      raw: `{"version":2,"start":"${time}","end":"${time}","account":"${owner}","interfaceId":"${card}","srcAddr":"${from}","dstAddr":"${to}","srcPort":${1024 + draw.below(60_000)},"dstPort":${draw.of([22, 53, 80, 443, 443, 443, 5432, 3306])},"protocol":${draw.of([6, 6, 6, 17])},"packets":${1 + draw.skewed(1000)},"bytes":${40 + draw.skewed(1_000_000)},"action":"${draw.below(30) === 0 ? 'REJECT' : 'ACCEPT'}","status":"OK",${net}}`,
      indicators: `{"p_any_ip_addresses":["${from}","${to}"],"p_any_aws_account_ids":["${owner}"]}`,
    };
  },
};

const oktaTypes = ['user.session.start', 'user.authentication.sso', 'policy.evaluate_sign_on', 'app.access'];

const okta: SearchLogType = {
  logType: 'Okta.SystemLog',
  share: 0.2,
  columns: shippedColumns('Okta.SystemLog'),
  event(draw, time) {
    const [ip, id, name] = [draw.address(), draw.uuid(), `user-${draw.skewed(5000)}`];
    const email = `${name}@example.com`;
    const place = `{"country":"${draw.of(['United States', 'Germany', 'India'])}","city":"City ${draw.skewed(400)}"}`;
    const client = `{"ipAddress":"${ip}","device":"Computer","userAgent":{"rawUserAgent":"${draw.of(agents)}","os":"Mac OS X","browser":"CHROME"},"geographicalContext":${place}}`;
    return {
      raw: `{"uuid":"${id}","published":"${time}","eventType":"${draw.of(oktaTypes)}","version":"0","severity":"${draw.below(50) === 0 ? 'WARN' : 'INFO'}","displayMessage":"User login to Okta","actor":{"id":"00u${draw.hex(17)}","type":"User","alternateId":"${email}","displayName":"${name}"},"client":${client},"outcome":{"result":"${draw.below(15) === 0 ? 'FAILURE' : 'SUCCESS'}"},"debugContext":{"debugData":{"requestId":"${draw.uuid()}","requestUri":"/api/v1/${draw.hex(8)}"}}}`,
      indicators: `{"p_any_ip_addresses":["${ip}"],"p_any_trace_ids":["${id}"],"p_any_emails":["${email}"],"p_any_usernames":["${name}"]}`,
    };
  },
};

/** The log types of the mixed lake; their shares add up to one. */
export const searchLogTypes: readonly SearchLogType[] = [cloudTrail, vpcFlow, okta];
