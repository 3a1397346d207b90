/**
 * `node scripts/services/with-servers.ts <command …>`: starts a Postgres, a Redis and an S3-compatible server of this
 * machine on loopback, runs the command with their addresses in its environment, and takes them down again.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startTestPostgres } from './postgres.ts';
import { startTestRedis } from './redis.ts';
import { startTestS3 } from './s3.ts';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('Usage: node scripts/services/with-servers.ts <command …>\n');
  process.exit(2);
}
const [postgres, redis, s3] = await Promise.all([startTestPostgres(), startTestRedis(), startTestS3()]);
const child = spawn(file, args, {
  stdio: 'inherit',
  env: {
    ...process.env,
    DATABASE_URL: postgres.url,
    DATABASE_OWNER_URL: postgres.ownerUrl,
    REDIS_URL: redis.url,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: s3.bucket,
    MARGAY_S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    MARGAY_S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
  },
});
const [code] = (await once(child, 'exit')) as [number | null];
await Promise.all([postgres.stop(), redis.stop(), s3.stop()]);
process.exit(code ?? 1);
