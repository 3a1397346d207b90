import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';

/** A disk of its own that can be filled: a tmpfs, which only root may mount. */
const folder = mkdtempSync(path.join(tmpdir(), 'margay-disk-'));
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=900m', 'tmpfs', folder]).status === 0;
if (!isMounted) process.stdout.write('skipped: this user cannot mount a small disk to fill\n');
afterAll(() => {
  if (isMounted) spawnSync('umount', ['-l', folder]);
  rmSync(folder, { recursive: true, force: true });
});

/** Writes until nothing more fits. Returns how to give the space back. */
function fillDisk(): () => void {
  const file = path.join(folder, 'filler');
  const descriptor = openSync(file, 'w');
  for (const size of [1024 * 1024, 4096, 1]) {
    try {
      for (;;) writeSync(descriptor, Buffer.alloc(size, 1));
    } catch {
      // Full for this size of piece.
    }
  }
  closeSync(descriptor);
  return () => rmSync(file);
}

test.skipIf(!isMounted)(
  'a full disk refuses logs with 503, loses nothing it acknowledged, and works again once there is space',
  async () => {
    let deployment = await startTestDeployment({ folder });
    const tenant = await deployment.tenant('full');
    let sent = 0;
    const acknowledged: number[] = [];
    const send = async (): Promise<Response> => {
      const number = (sent += 1);
      const event = { '@timestamp': Date.now(), action: 'team.create', actor: `n${number}`, repo: 'x/y' };
      const response = await tenant.send(`${JSON.stringify(event)}\n`);
      if (response.status === 202) acknowledged.push(number);
      return response;
    };
    try {
      for (let round = 0; round < 20; round++) await send();
      expect(acknowledged).toHaveLength(20);
      const freeDisk = fillDisk();
      const refused = await send();
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      for (let round = 0; round < 10; round++) {
        await send();
        await sleep(300);
      }
      freeDisk();
      const freedAt = performance.now();
      await expect.poll(async () => (await send()).status, { timeout: 90_000, interval: 200 }).toBe(202);
      const seconds = ((performance.now() - freedAt) / 1000).toFixed(1);
      process.stdout.write(`logs are taken in ${seconds} s after there is space again\n`);
      const always = { from: new Date('2000-01-01'), to: new Date('2100-01-01') };
      const actors = async (): Promise<readonly string[]> =>
        (await deployment.lake.listEvents(tenant.tenantId, 'GitHub.Audit', always, 10_000).catch(() => []))
          .map((row) => String(row['actor']))
          .toSorted();
      const wanted = acknowledged.map((number) => `n${number}`).toSorted();
      await expect.poll(actors, { timeout: 90_000, interval: 1000 }).toEqual(wanted);
      await deployment.stop();
      deployment = await startTestDeployment({ folder });
      expect(await actors()).toEqual(wanted);
    } finally {
      await deployment.stop();
    }
  },
  300_000,
);
