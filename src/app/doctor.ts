import { freemem, totalmem } from 'node:os';
import { mkdtemp, rm, statfs, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildBundle, chooseWalls } from '#detections';
import { describeSettings, readSettings } from '#platform/config';
import { errorText } from '#platform/errors';
import { prepareDataFolder, reservePort } from './data-folder.ts';

type Finding = { readonly name: string; readonly isGood: boolean; readonly note: string };

async function attempt(name: string, check: () => Promise<string>): Promise<Finding> {
  try {
    return { name, isGood: true, note: await check() };
  } catch (error) {
    return { name, isGood: false, note: errorText(error) };
  }
}

async function findWalls(): Promise<Finding> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-doctor-'));
  try {
    await chmod(folder, 0o755);
    const { report } = await chooseWalls({
      bundle: await buildBundle(folder),
      nodePath: process.execPath,
      uid: process.getuid?.(),
    });
    const note = `${report.kind}. ${report.reasons.join(' ')}${report.howToFix ? ` ${report.howToFix}` : ''}`;
    return { name: 'walls around detections', isGood: report.isolatesTenants, note };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
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
  if (findings[0]?.isGood) {
    const settings = readSettings(environment);
    const dataDir = path.resolve(settings.MARGAY_DATA_DIR);
    findings.push(
      await attempt('data folder', async () => {
        await prepareDataFolder(dataDir);
        const { bavail, bsize } = await statfs(dataDir);
        return `${dataDir}, ${Math.floor((Number(bavail) * Number(bsize)) / 1024 ** 3)} GiB free`;
      }),
      await attempt(
        'port',
        async () =>
          `${await reservePort(settings.MARGAY_HOST, settings.MARGAY_PORT)} on ${settings.MARGAY_HOST} is free`,
      ),
    );
  }
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
  findings.push(await findWalls());
  for (const { name, isGood, note } of findings) say(`${isGood ? 'ok     ' : 'PROBLEM'} ${name}: ${note}`);
  return findings.every((finding) => finding.isGood) ? 0 : 1;
}
