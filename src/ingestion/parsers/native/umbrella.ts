import { splitCsv } from '../csv.ts';
import { named } from './fields-of-line.ts';
import type { NativeParser } from './native-parser.ts';

/** Values of these columns are lists inside one quoted value. */
const lists = new Set(['identities', 'identityTypes', 'categories', 'blockedCategories', 'avDetections', 'puas']);

/** Quoted CSV without a header; columns at the end came with later versions and may be missing. */
function umbrella(columns: readonly string[], columnsMin: number): NativeParser {
  return {
    reads: 'lines',
    read(line) {
      const values = splitCsv(line, ',');
      if (values.length < columnsMin || values.length > columns.length) return undefined;
      if (!/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(values[0] ?? '')) return undefined;
      const event = named(columns, values);
      for (const name of lists) {
        const text = event[name];
        if (typeof text === 'string') event[name] = text.split(',').map((item) => item.trim());
      }
      const { domain } = event;
      if (typeof domain === 'string') event['domain'] = domain.replace(/\.$/, '');
      return event;
    },
  };
}

export const umbrellaDns = umbrella(
  [
    'timestamp',
    'policyIdentity',
    'identities',
    'internalIp',
    'externalIp',
    'action',
    'queryType',
    'responseCode',
    'domain',
    'categories',
    'policyIdentityType',
    'identityTypes',
    'blockedCategories',
  ],
  10,
);

export const umbrellaProxy = umbrella(
  [
    'timestamp',
    'identity',
    'identities',
    'internalIp',
    'externalIp',
    'destinationIp',
    'contentType',
    'verdict',
    'url',
    'referrer',
    'userAgent',
    'statusCode',
    'requestSize',
    'responseSize',
    'responseBodySize',
    'sha',
    'categories',
    'avDetections',
    'puas',
    'ampDisposition',
    'ampMalwareName',
    'ampScore',
    'identityType',
    'blockedCategories',
  ],
  22,
);

export const umbrellaIp = umbrella(
  [
    'timestamp',
    'identity',
    'sourceIp',
    'sourcePort',
    'destinationIp',
    'destinationPort',
    'categories',
    'identityTypes',
  ],
  7,
);

export const umbrellaCloudFirewall = umbrella(
  [
    'timestamp',
    'originId',
    'identity',
    'identityType',
    'direction',
    'ipProtocol',
    'packetSize',
    'sourceIp',
    'sourcePort',
    'destinationIp',
    'destinationPort',
    'dataCenter',
    'ruleId',
    'verdict',
  ],
  14,
);
