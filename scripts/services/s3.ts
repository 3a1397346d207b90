import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { freePorts } from './ports.ts';

/** Where `scripts/services/install-s3.sh` puts the server. */
const weed = path.join(process.env['MARGAY_SERVICES'] ?? path.join(homedir(), '.cache/margay-services'), 's3/bin/weed');

export const hasS3Server = existsSync(weed);

export type TestS3 = {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly pid: number;
  /** Ends the server without a word. `start` brings it back on the same data and port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
};

const credentials = { accessKeyId: 'margay', secretAccessKey: 'secret-of-tests' };
const region = 'us-east-1';

function argumentsOf(folder: string, ports: readonly number[]): readonly string[] {
  const names = ['master.port', 'master.port.grpc', 'volume.port', 'volume.port.grpc', 'filer.port', 'filer.port.grpc'];
  const numbered = [...names, 's3.port', 's3.port.grpc'].map((name, index) => `-${name}=${ports[index]}`);
  const identity = {
    name: 'margay',
    credentials: [{ accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey }],
    actions: ['Admin'],
  };
  const config = path.join(folder, 's3.json');
  writeFileSync(config, JSON.stringify({ identities: [identity] }));
  return [
    'server',
    `-dir=${folder}`,
    '-ip=127.0.0.1',
    '-ip.bind=127.0.0.1',
    '-s3',
    '-s3.autoCreateBucket=false',
    `-s3.config=${config}`,
    '-s3.port.iceberg=0',
    '-s3.port.lance=0',
    '-master.telemetry=false',
    '-master.volumeSizeLimitMB=128',
    '-volume.max=100',
    ...numbered,
  ];
}

/** Starts an S3-compatible server on loopback with a folder and a bucket of its own. */
export async function startTestS3(): Promise<TestS3> {
  const folder = await mkdtemp(path.join(tmpdir(), 'margay-s3-'));
  const ports = await freePorts(8);
  const endpoint = `http://127.0.0.1:${ports[6]}`;
  const bucket = 'margay-tests';
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return;
    const exited = new Promise((resolve) => child?.once('exit', resolve));
    child.kill(signal);
    await exited;
    child = undefined;
  };
  const start = async (): Promise<void> => {
    child = spawn(weed, [...argumentsOf(folder, ports)], { stdio: 'ignore' });
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 });
    for (let round = 0; ; round += 1) {
      try {
        await client.send(new CreateBucketCommand({ Bucket: bucket }));
        break;
      } catch (error) {
        if (error instanceof Error && /BucketAlready/.test(error.name)) break;
        if (round > 150) throw new Error('The S3 server of the tests does not come up.', { cause: error });
        await sleep(200);
      }
    }
    client.destroy();
  };
  await start();
  return {
    endpoint,
    bucket,
    credentials,
    get pid() {
      return child?.pid ?? 0;
    },
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
