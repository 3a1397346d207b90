import type { LakeTable } from '#lake';
import { qualified } from '../../../src/lake/ddl.ts';

/** One varied copy of the rows of a table: how many of them it takes, and when they arrive, in milliseconds since 1970. */
export type Copy = { readonly number: number; readonly rows: number; readonly from: number; readonly to: number };

/** How rows of a log type vary: values that are drawn once for each row, and the columns made of them; all in SQL. */
type Variation = {
  readonly drawn: Readonly<Record<string, string>>;
  readonly columns: Readonly<Record<string, string>>;
};

// `draw` is a hash of the row's id and the number of its copy. Each value takes another hash of it; how values spread
// is as in the rows that were inserted.
const hash = (name: string): string => `cityHash64(draw, '${name}')`;
const below = (name: string, most: number): string => `${hash(name)} % ${most}`;
const skewed = (name: string, most: number): string =>
  `toUInt64(floor(${most} * pow(toFloat64(${hash(name)}) / 18446744073709551616., 3)))`;
const hex = (name: string, length: number): string => `left(lower(hex(sipHash128(draw, '${name}'))), ${length})`;
const uuid = (name: string): string =>
  `overlay(overlay(overlay(overlay(${hex(name, 30)}, '-', 19, 0), '-a', 16, 0), '-4', 13, 0), '-', 9, 0)`;
const address = (name: string): string =>
  `concat('10.', toString(${below(`${name}1`, 4)}), '.', toString(${below(`${name}2`, 256)}), '.', toString(${below(`${name}3`, 256)}))`;
const user = `concat('user-', toString(${skewed('user', 5000)}))`;
const account = `concat('1234567', leftPad(toString(${below('account', 20)}), 5, '0'))`;

const cloudTrail: Variation = {
  drawn: {
    new_user: user,
    new_account: account,
    new_ip: address('ip'),
    new_id: uuid('id'),
    new_arn: `concat('arn:aws:sts::', new_account, ':assumed-role/role-', toString(${skewed('role', 300)}), '/', new_user)`,
  },
  columns: {
    eventTime: 'new_time',
    eventID: 'new_id',
    requestID: uuid('request'),
    sourceIPAddress: 'new_ip',
    recipientAccountId: 'new_account',
    userIdentity: `CAST(concat('{"type":"AssumedRole","principalId":"AROA', upper(${hex('principal', 16)}), ':', new_user, '","arn":"', new_arn, '","accountId":"', new_account, '","userName":"', new_user, '","sessionContext":{"attributes":{"mfaAuthenticated":"', if(${below('mfa', 2)} = 0, 'true', 'false'), '"}}}') AS JSON(max_dynamic_paths = 256))`,
    requestParameters: `concat('{"bucketName":"bucket-', toString(${skewed('bucket', 2000)}), '","key":"data/', ${hex('key', 24)}, '.json"}')`,
    p_any_ip_addresses: '[new_ip]',
    p_any_trace_ids: '[new_id]',
    p_any_aws_account_ids: '[new_account]',
    p_any_aws_arns: '[new_arn]',
    p_any_usernames: '[new_user]',
  },
};

const vpcFlow: Variation = {
  drawn: { new_account: account, new_from: address('from'), new_to: address('to') },
  columns: {
    start: 'new_time',
    end: 'new_time',
    account: 'new_account',
    srcAddr: 'new_from',
    dstAddr: 'new_to',
    interfaceId: `concat('eni-', leftPad(lower(hex(${skewed('card', 4000)})), 17, '0'))`,
    srcPort: `1024 + ${below('port', 60_000)}`,
    packets: `1 + ${skewed('packets', 1000)}`,
    bytes: `40 + ${skewed('bytes', 1_000_000)}`,
    p_any_ip_addresses: '[new_from, new_to]',
    p_any_aws_account_ids: '[new_account]',
  },
};

/** Objects are made from texts; printing those of the originals would take most of the time. */
const asObject = (text: string): string => `CAST(${text} AS JSON(max_dynamic_paths = 256))`;

const okta: Variation = {
  drawn: { new_user: user, new_ip: address('ip'), new_id: uuid('id'), new_email: "concat(new_user, '@example.com')" },
  columns: {
    published: 'new_time',
    uuid: 'new_id',
    actor: asObject(
      `concat('{"id":"00u', ${hex('actor', 17)}, '","type":"User","alternateId":"', new_email, '","displayName":"', new_user, '"}')`,
    ),
    client: asObject(
      `concat('{"ipAddress":"', new_ip, '","device":"Computer","userAgent":{"rawUserAgent":"', client.userAgent.rawUserAgent::String, '","os":"Mac OS X","browser":"CHROME"},"geographicalContext":{"country":"', client.geographicalContext.country::String, '","city":"', client.geographicalContext.city::String, '"}}')`,
    ),
    debugContext: `concat('{"debugData":{"requestId":"', ${uuid('request')}, '","requestUri":"/api/v1/', ${hex('uri', 8)}, '"}}')`,
    p_any_ip_addresses: '[new_ip]',
    p_any_trace_ids: '[new_id]',
    p_any_emails: '[new_email]',
    p_any_usernames: '[new_user]',
  },
};

const variations: Readonly<Record<string, Variation>> = {
  'AWS.CloudTrail': cloudTrail,
  'AWS.VPCFlow': vpcFlow,
  'Okta.SystemLog': okta,
};

/** Digits of ids that differ between the rows of a batch, as `rowIdsOf` numbers them. */
const rowId = (batchRows: number): string =>
  `concat(left(lower(hex(sipHash128(copy, intDiv(place, ${batchRows}), p_log_type))), 20), leftPad(lower(hex(toUInt32(place * 700 + ${below('offset', 64)}))), 8, '0'), '0000')`;

/**
 * Statement that inserts a copy of the original rows, in another order and with times, ids, addresses and people of its
 * own; what has few values, such as names of events, stays. Indicators say what the fields they come from say.
 */
export function insertCopy(
  table: LakeTable,
  originals: LakeTable,
  copy: Copy,
  shape: { readonly batchRows: number; readonly delayMs: number },
): string {
  const variation = variations[table.logType];
  if (variation === undefined) throw new Error(`How rows of ${table.logType} vary is not said.`);
  const drawn = {
    new_arrival: `${Math.round(copy.from)} + toInt64(place * ${(copy.to - copy.from) / copy.rows})`,
    new_time: `fromUnixTimestamp64Milli(toInt64(new_arrival - ${skewed('delay', shape.delayMs)}), 'UTC')`,
    ...variation.drawn,
  };
  const columns = {
    p_event_time: 'new_time',
    p_parse_time: `fromUnixTimestamp64Milli(toInt64(new_arrival), 'UTC')`,
    p_row_id: rowId(shape.batchRows),
    ...variation.columns,
  };
  const list = (of: Readonly<Record<string, string>>): string =>
    Object.entries(of)
      .map(([name, value]) => `${value} AS ${name}`)
      .join(',\n    ');
  return `INSERT INTO ${qualified(table)}
  SELECT * EXCEPT (copy, draw, place, ${Object.keys(drawn).join(', ')}) REPLACE (${list(columns)})
  FROM (SELECT *, ${list(drawn)} FROM (
    SELECT *, ${copy.number} AS copy, cityHash64(p_row_id, copy) AS draw, row_number() OVER (ORDER BY draw) - 1 AS place
    FROM ${qualified(originals)}
  ) WHERE place < ${copy.rows})`;
}
