import { chmod, mkdtemp, rm, stat, statfs } from 'node:fs/promises';
import { freemem, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { buildBundle } from '#detections';
import { chooseReaderWalls } from '#lake';
import { chooseWalls, type WallReport } from '#platform/walls';
import { describeSettings, readSettings, type Settings } from '#platform/config';
import { errorText } from '#platform/errors';
import { prepareDataFolder, reservePort } from '../data-folder.ts';
import { inspectCertificate } from './certificate.ts';
import { describeKeySource } from '../keys/key-state.ts';
import { describeLake, describeObjects, describePostgres } from './stores.ts';

type Finding = { readonly name: string; readonly isGood: boolean; readonly note: string };

const dayMs = 24 * 3_600_000;

async function attempt(name: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { name, isGood: true, note: await check() };
  } catch (error) {
    return { name, isGood: false, note: errorText(error) };
  }
}

function wallFinding(name: string, report: WallReport): Finding {
  const filter = report.hasSeccomp ? ' with a system call filter' : '';
  const note = `${report.kind}${filter}. ${report.reasons.join(' ')}${report.howToFix ? ` ${report.howToFix}` : ''}`;
  return { name, isGood: report.isolatesTenants, note };
}

async function findWalls(): Promise<readonly Finding[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-doctor-'));
  try {
    await chmod(folder, 0o755);
    const host = { nodePath: process.execPath, uid: process.getuid?.() };
    const { report } = await chooseWalls({ bundle: await buildBundle(folder), ...host });
    const { walls } = await chooseReaderWalls({ bundleFolder: folder, ...host });
    return [wallFinding('walls around detections', report), wallFinding('walls around queries', walls.report)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const tlsOf = (settings: Settings) =>
  attempt('TLS', async () => {
    const { MARGAY_TLS_CERT_FILE: cert, MARGAY_TLS_KEY_FILE: key, MARGAY_BEHIND_TLS_PROXY: isBehindProxy } = settings;
    if (cert !== undefined && key !== undefined) return inspectCertificate(cert, key, new Date());
    return isBehindProxy ? 'left to the proxy in front' : 'none: this machine only';
  });

/** Certificates, sessions and alert windows all lean on the clock; one that was never set shows in its year. */
const clock = () =>
  attempt('clock', async () => {
    const { mtime } = await stat(import.meta.filename);
    if (Date.now() < mtime.getTime() - dayMs)
      throw new Error(`It says ${new Date().toISOString()}, which is before this program was installed. Run NTP.`);
    return new Date().toISOString();
  });

async function configured(settings: Settings): Promise<readonly Finding[]> {
  const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
  return [
    await attempt('data folder', async () => {
      await prepareDataFolder(dataDir);
      const { bavail, bsize } = await statfs(dataDir);
      return `${dataDir}, ${Math.floor((Number(bavail) * Number(bsize)) / 1024 ** 3)} GiB free`;
    }),
    await attempt(
      'port',
      async () => `${await reservePort(settings.MARGAY_HOST, settings.MARGAY_PORT)} on ${settings.MARGAY_HOST} is free`,
    ),
    await tlsOf(settings),
    await attempt('Postgres', () => describePostgres(settings)),
    await attempt('lake', () => describeLake(settings)),
    await attempt('keys', () => describeKeySource(settings, dataDir)),
    await attempt('objects', () => describeObjects(settings, dataDir)),
  ];
}

/** Looks at this machine without starting anything. Returns the exit code: 1 when something must be mended. */
export async function runDoctor(
  environment: Readonly<Record<string, string | undefined>>,
  say: (line: string) => void,
): Promise<number> {
  const findings: Finding[] = [
    await attempt(
      'configuration',
      async () => `${Object.keys(describeSettings(readSettings(environment))).length} settings are valid`,
    ),
  ];
  if (findings[0]?.isGood) findings.push(...(await configured(readSettings(environment))));
  const gib = (bytes: number): string => (bytes / 1024 ** 3).toFixed(1);
  findings.push({
    name: 'memory',
    isGood: totalmem() > 3.5 * 1024 ** 3,
    note: `${gib(totalmem())} GiB, ${gib(freemem())} GiB free; 4 GiB are needed`,
  });
  findings.push({
    name: 'runtime',
    isGood: Number(process.versions.node.split('.')[0]) >= 26,
    note: `Node ${process.versions.node}`,
  });
  findings.push(await clock(), ...(await findWalls()));
  for (const { name, isGood, note } of findings) say(`${isGood ? 'ok     ' : 'PROBLEM'} ${name}: ${note}`);
  return findings.every((finding) => finding.isGood) ? 0 : 1;
}
