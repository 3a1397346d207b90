import type { NativeParser } from './native-parser.ts';
import { named, splitWords, take } from './fields-of-line.ts';

/** Columns of an access log line in their order; AWS appends new ones at the end. */
const albColumns = [
  'type',
  'timestamp',
  'elb',
  'client',
  'target',
  'requestProcessingTime',
  'targetProcessingTime',
  'responseProcessingTime',
  'elbStatusCode',
  'targetStatusCode',
  'receivedBytes',
  'sentBytes',
  'request',
  'userAgent',
  'sslCipher',
  'sslProtocol',
  'targetGroupArn',
  'traceId',
  'domainName',
  'chosenCertArn',
  'matchedRulePriority',
  'requestCreationTime',
  'actionsExecuted',
  'redirectUrl',
  'errorReason',
  'targetPortList',
  'targetStatusCodeList',
  'classification',
  'classificationReason',
  'connectionTraceId',
];
const albColumnsMin = 22;

type Columns = Record<string, unknown>;

/** An address with a port; addresses of IPv6 have colons of their own. */
function setEndpoint(event: Columns, column: string): void {
  const endpoint = take(event, column);
  if (endpoint === undefined) return;
  const colon = endpoint.lastIndexOf(':');
  event[`${column}Ip`] = (colon === -1 ? endpoint : endpoint.slice(0, colon)).replaceAll(/[[\]]/g, '');
  if (colon !== -1) event[`${column}Port`] = endpoint.slice(colon + 1);
}

function setList(event: Columns, column: string, separator: string): void {
  const text = take(event, column);
  if (text !== undefined) event[column] = text.split(separator).filter((item) => item !== '' && item !== '-');
}

export const awsAlb: NativeParser = {
  reads: 'lines',
  read(line) {
    const words = splitWords(line);
    if (words.length < albColumnsMin || !/^\d{4}-\d\d-\d\dT/.test(words[1] ?? '')) return undefined;
    const event = named(albColumns, words);
    setEndpoint(event, 'client');
    setEndpoint(event, 'target');
    const [, method, url, version] = /^(\S+) (.*) (\S+)$/.exec(take(event, 'request') ?? '') ?? [];
    Object.assign(
      event,
      named(
        ['requestHttpMethod', 'requestUrl', 'requestHttpVersion'],
        [method, url, version].map(String).filter((word) => word !== 'undefined'),
      ),
    );
    setList(event, 'actionsExecuted', ',');
    setList(event, 'targetPortList', ' ');
    setList(event, 'targetStatusCodeList', ' ');
    return event;
  },
};

const s3Columns = [
  'bucketowner',
  'bucket',
  'time',
  'remoteip',
  'requester',
  'requestid',
  'operation',
  'key',
  'requesturi',
  'httpstatus',
  'errorcode',
  'bytessent',
  'objectsize',
  'totaltime',
  'turnaroundtime',
  'referrer',
  'useragent',
  'versionid',
  'hostid',
  'signatureversion',
  'ciphersuite',
  'authenticationtype',
  'hostheader',
  'tlsVersion',
];

export const awsS3ServerAccess: NativeParser = {
  reads: 'lines',
  read(line) {
    if (!/^[0-9A-Za-z]{16,64} \S+ \[/.test(line)) return undefined;
    const words = splitWords(line);
    if (words.length < 17) return undefined;
    const event = named(s3Columns, words);
    const more = words.slice(s3Columns.length).filter((word) => word !== '-');
    if (more.length > 0) event['additionalFields'] = more;
    return event;
  },
};

const auroraColumns = [
  'timestamp',
  'serverHost',
  'username',
  'host',
  'connectionId',
  'queryId',
  'operation',
  'database',
];

export const awsAuroraMySqlAudit: NativeParser = {
  reads: 'lines',
  read(line) {
    const values = line.split(',');
    if (values.length < auroraColumns.length + 2 || !/^\d{16}$/.test(values[0] ?? '')) return undefined;
    const event = named(auroraColumns, values);
    // The statement has commas of its own; the code is what stands behind the last.
    const statement = values.slice(auroraColumns.length, -1).join(',');
    if (statement !== '') event['object'] = statement.replaceAll(/^'|'$/g, '');
    const code = values.at(-1);
    if (code !== undefined && code !== '') event['retCode'] = code;
    return event;
  },
};
