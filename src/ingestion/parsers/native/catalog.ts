import { awsAlb, awsAuroraMySqlAudit, awsS3ServerAccess } from './aws-text.ts';
import { auditd, juniperAudit, juniperFirewall, keyValueLine } from './host-text.ts';
import { crowdstrikeFdr, googleActivity } from './json-shapes.ts';
import type { NativeParser } from './native-parser.ts';
import { herokuDrain, syslog3164, syslog5424 } from './syslog.ts';
import { umbrellaCloudFirewall, umbrellaDns, umbrellaIp, umbrellaProxy } from './umbrella.ts';

const parsers: Readonly<Record<string, NativeParser>> = {
  AWS: { reads: 'records', scanAws: true },
  AwsAlb: awsAlb,
  AuroraMySqlAudit: awsAuroraMySqlAudit,
  S3ServerAccess: awsS3ServerAccess,
  Auditd: auditd,
  CrowdstrikeFdr: crowdstrikeFdr,
  GoogleActivity: googleActivity,
  HerokuDrain: herokuDrain,
  JuniperAudit: juniperAudit,
  JuniperFirewall: juniperFirewall,
  KeyValue: keyValueLine,
  Syslog3164: syslog3164,
  Syslog5424: syslog5424,
  UmbrellaCloudFirewall: umbrellaCloudFirewall,
  UmbrellaDns: umbrellaDns,
  UmbrellaIp: umbrellaIp,
  UmbrellaProxy: umbrellaProxy,
};

/** The built-in parser of that name. Throws with the names there are when it is none. */
export function nativeParser(name: string): NativeParser {
  const found = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
  if (found === undefined)
    throw new Error(`native: there is no parser "${name}", only ${Object.keys(parsers).join(', ')}`);
  return found;
}
