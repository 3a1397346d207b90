import { gives, picks, type Row, type Seeds } from './seed.ts';

const pass = (ip: string, more: Row = {}): Row => ({
  category: 'success',
  type: 'credentials_ok',
  client: { ip_address: ip, platform_name: 'Mac', app_name: '1Password' },
  ...more,
});
const zip = (size: number, process: number, more: Row = {}): Row => ({
  event_simpleName: 'ZipFileWritten',
  ContextProcessId: process,
  unknown_payload: { Size: size },
  ...more,
});
const command = (id: number, parent: number, commandline: string): Row => ({
  targetprocessid: id,
  parentprocessid: parent,
  commandline,
});
const fdr = (more: Row): Row => ({ fdr_event_type: 'ProcessRollup2', ...more });
const plutil = (aid: string, ago: string, line: string): Row => ({
  aid,
  ago,
  event_platform: 'Mac',
  fdr_event_type: 'ProcessRollup2',
  event: { ImageFileName: '/usr/bin/plutil', CommandLine: line },
});

/** Rows for the searches over what endpoint agents and sign-ins of devices report. */
export const endpointSeeds: Seeds = {
  CrowdStrike_Large_Zip_Creation: gives(
    {
      'Crowdstrike.Unknown': [zip(20_000_000, 1), zip(20_000_000, 2), zip(5, 1), zip(20_000_000, 3)],
      'Crowdstrike.ProcessRollup2': [
        command(1, 10, 'zip -r secrets'),
        command(2, 10, 'curl x.zip'),
        command(3, 11, 'zip -r brew'),
        command(10, 0, 'bash'),
        command(11, 0, '/opt/homebrew/x'),
      ],
    },
    [{ parent_commandline: 'bash', process_commandline: 'zip -r secrets', process_targetpid: 1 }],
  ),
  CrowdStrike_Large_Zip_Creation_FDREvent: gives(
    {
      'Crowdstrike.FDREvent': [
        { event_simpleName: 'ZipFileWritten', ContextProcessId: '1', event: { Size: '20000000' } },
        { event_simpleName: 'ZipFileWritten', ContextProcessId: '2', event: { Size: '20000000' } },
        { event_simpleName: 'ZipFileWritten', ContextProcessId: '1', event: { Size: '20' } },
        fdr({
          TargetProcessId_decimal: '1',
          event: { TargetProcessId: '1', ParentProcessId: '10', CommandLine: 'zip -r x' },
        }),
        fdr({
          TargetProcessId_decimal: '2',
          event: { TargetProcessId: '2', ParentProcessId: '10', CommandLine: 'zip install' },
        }),
        fdr({ TargetProcessId_decimal: '10', event: { CommandLine: 'bash' } }),
      ],
    },
    [{ parent_commandline: 'bash', process_commandline: 'zip -r x', process_targetpid: '1' }],
  ),
  MacOS_Browser_Credential_Access: picks(
    'Crowdstrike.ProcessRollup2',
    [{ commandline: 'cat /x/key4.db' }, { commandline: 'cp /Users/a/Library/Cookies/x y' }],
    [{ commandline: 'ls' }, { commandline: 'cat key4.db', ago: '2d' }],
  ),
  MacOS_Browser_Credential_Access_FDREvent: picks(
    'Crowdstrike.FDREvent',
    [fdr({ event: { CommandLine: 'cat "Login Data"' } })],
    [fdr({ event: { CommandLine: 'ls' } }), { fdr_event_type: 'other', event: { CommandLine: 'cat key4.db' } }],
  ),
  'crowdstrike.macos.plutil.novel.modification': gives(
    {
      'Crowdstrike.FDREvent': [
        plutil('d', '1h', "plutil -insert k '/a/new.plist'"),
        plutil('d', '1h', 'plutil -replace k /a/old.plist'),
        plutil('d', '9d', 'plutil -replace k /a/old.plist'),
        plutil('d', '1h', 'plutil -p /a/read.plist'),
      ],
    },
    [{ device_id: 'd', plist_file: '/a/new.plist' }],
  ),
  onepass_login_from_crowdstrike_unmanaged_device_query: picks(
    'OnePassword.SignInAttempt',
    [pass('8.8.8.8')],
    [
      pass('7.7.7.7'),
      pass('8.8.8.8', { category: 'failed' }),
      pass('8.8.8.8', { ago: '2h' }),
      { ...pass('8.8.8.8'), client: { ip_address: '8.8.8.8', platform_name: 'iPhone', app_name: 'x' } },
    ],
    { 'Crowdstrike.AIDMaster': [{ aip: '7.7.7.7' }] },
  ),
  onepass_login_from_crowdstrike_unmanaged_device_FDREvent: picks(
    'OnePassword.SignInAttempt',
    [pass('8.8.8.8')],
    [pass('7.7.7.7'), pass('8.8.8.8', { ago: '2d' })],
    {
      'Crowdstrike.FDREvent': [
        { aip: '7.7.7.7', fdr_event_type: 'aid_master' },
        { aip: '8.8.8.8', fdr_event_type: 'x' },
      ],
    },
  ),
};
