import { isJsonObject, setKey } from '#platform/json';
import type { Event } from '../line-reader.ts';
import type { NativeParser } from './native-parser.ts';

/** Value of a parameter of Google's activity reports, in whichever key it came. */
function parameterValue(parameter: Event): unknown {
  for (const key of [
    'value',
    'intValue',
    'boolValue',
    'multiValue',
    'multiIntValue',
    'messageValue',
    'multiMessageValue',
  ])
    if (parameter[key] !== undefined && parameter[key] !== null) return parameter[key];
  return undefined;
}

function parametersByName(parameters: unknown): unknown {
  if (!Array.isArray(parameters)) return parameters;
  const named: Event = {};
  for (const parameter of parameters)
    if (isJsonObject(parameter) && typeof parameter['name'] === 'string')
      setKey(named, parameter['name'], parameterValue(parameter) ?? null);
  return named;
}

/** One row for each event of an activity, with its parameters by their names. */
export const googleActivity: NativeParser = {
  reads: 'records',
  reshape(record) {
    const { events, ...rest } = record;
    if (!Array.isArray(events)) return [{ ...rest, parameters: parametersByName(rest['parameters']) }];
    return events
      .filter(isJsonObject)
      .map((event) => ({ ...rest, ...event, parameters: parametersByName(event['parameters']) }));
  },
};

/** Rows of the host lists have no name of their own; a key that only they have tells them apart. */
const fdrLists = [
  ['aidmaster', 'AgentLoadFlags'],
  ['managedassets', 'InterfaceAlias'],
  ['notmanaged', 'discovererCount'],
  ['appinfo', 'detectioncount'],
  ['userinfo', 'UserSid_readable'],
] as const;

function fdrTypeOf(record: Event): unknown {
  return (
    record['fdr_event_type'] ??
    record['event_simpleName'] ??
    record['ExternalApiType'] ??
    fdrLists.find(([, key]) => Object.hasOwn(record, key))?.[0]
  );
}

/** The keys that all kinds share stay at the top; the whole record is kept under `event`. */
const fdrShared = new Set([
  'event_simpleName',
  'name',
  'aid',
  'aip',
  'cid',
  'id',
  'event_platform',
  'timestamp',
  '_time',
  'ComputerName',
  'ConfigBuild',
  'ConfigStateHash',
  'Entitlements',
  'TreeId',
  'ContextThreadId',
  'ContextTimeStamp',
  'ContextProcessId',
  'ContextProcessId_decimal',
  'TargetProcessId_decimal',
  'EffectiveTransmissionClass',
  'InContext',
  'RequestType',
]);

export const crowdstrikeFdr: NativeParser = {
  reads: 'records',
  reshape(record) {
    if (isJsonObject(record['event'])) return [record];
    const type = fdrTypeOf(record);
    if (type === undefined) return [record];
    const shared = Object.entries(record).filter(([key]) => fdrShared.has(key));
    return [
      {
        ...Object.fromEntries(shared),
        timestamp: record['timestamp'] ?? record['Time'] ?? record['_time'],
        fdr_event_type: type,
        event: record,
      },
    ];
  },
};
