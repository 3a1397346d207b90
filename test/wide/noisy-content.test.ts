import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { startTestDeployment } from '../support/deployment.ts';

/** Rules that do what no rule should, each in its own way. */
const hostileBodies: Readonly<Record<string, string>> = {
  Sleeps: 'import time\ndef rule(event):\n    time.sleep(3600)\n    return True\n',
  Spins: 'def rule(event):\n    while True:\n        pass\n',
  Forks: 'import os\ndef rule(event):\n    os.fork()\n    return True\n',
  Floods: 'def rule(event):\n    while True:\n        print("x" * 100000)\n',
  Allocates: 'def rule(event):\n    held = []\n    while True:\n        held.append(bytearray(64 * 1024 * 1024))\n',
};
const ruleOf = (id: string, body: string) => ({
  specification: `AnalysisType: rule\nRuleID: ${id}\nEnabled: true\nFilename: x.py\nLogTypes: [GitHub.Audit]\nSeverity: Low\n`,
  body,
});
const deployment = await startTestDeployment();
afterAll(() => deployment.stop());

const event = (actor: string): string =>
  `${JSON.stringify({ '@timestamp': Date.now(), action: 'team.create', actor, repo: 'x/y' })}\n`;

test('rules that sleep, spin, fork, flood and allocate cost their tenant time and nobody else an alert', async () => {
  const [noisy, calm] = [await deployment.tenant('noisy'), await deployment.tenant('calm')];
  const match =
    'def rule(event):\n    return event["action"] == "team.create"\ndef title(event):\n    return "Team made"\n';
  for (const [id, body] of Object.entries(hostileBodies))
    await deployment.services.detections.save(noisy.actor, ruleOf(`Noisy.${id}`, body));
  await deployment.services.detections.save(noisy.actor, ruleOf('Noisy.Good', match));
  await deployment.services.detections.save(calm.actor, ruleOf('Calm.Good', match));
  const titles = async (tenant: typeof calm): Promise<readonly string[]> => {
    const span = { createdAtAfter: new Date(0), createdAtBefore: new Date(Date.now() + 3_600_000), pageSize: 50 };
    return (await deployment.services.alerts.list(tenant.actor, span)).alerts.map((alert) => alert.title);
  };
  for (let round = 0; round < 3; round += 1) expect((await noisy.send(event(`noisy${round}`))).status).toBe(202);
  await sleep(1000);
  expect((await calm.send(event('calm'))).status).toBe(202);
  await expect.poll(() => titles(calm), { timeout: 120_000, interval: 500 }).toContain('Team made');
  expect(await titles(calm)).not.toEqual(expect.arrayContaining([expect.stringContaining('Rule error')]));
  await expect
    .poll(async () => (await titles(noisy)).filter((title) => title.includes('Rule error')).length, {
      timeout: 400_000,
      interval: 1000,
    })
    .toBeGreaterThanOrEqual(Object.keys(hostileBodies).length);
  await expect.poll(() => titles(noisy), { timeout: 120_000, interval: 500 }).toContain('Team made');
});
