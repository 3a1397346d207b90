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
const say = (text: string): void => void process.stdout.write(`${text}\n`);
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
    const subtypes = { subtypes: ['RULE'] };
    const lists = [subtypes, { type: 'DETECTION_ERROR' }].map((kind) =>
      deployment.services.alerts.list(tenant.actor, { ...span, ...kind }),
    );
    return (await Promise.all(lists)).flatMap(({ alerts }) => alerts.map((alert) => alert.title));
  };
  const startedAt = performance.now();
  for (let round = 0; round < 3; round += 1) expect((await noisy.send(event(`noisy${round}`))).status).toBe(202);
  await sleep(1000);
  const calmFrom = performance.now();
  expect((await calm.send(event('calm'))).status).toBe(202);
  await expect.poll(() => titles(calm), { timeout: 120_000, interval: 100 }).toContain('Team made');
  const calmSeconds = (performance.now() - calmFrom) / 1000;
  expect(await titles(calm)).not.toEqual(expect.arrayContaining([expect.stringContaining('Rule error')]));
  await expect
    .poll(async () => (await titles(noisy)).filter((title) => title.includes('Rule error')).length, {
      timeout: 400_000,
      interval: 1000,
    })
    .toBeGreaterThanOrEqual(Object.keys(hostileBodies).length);
  await expect.poll(() => titles(noisy), { timeout: 120_000, interval: 500 }).toContain('Team made');
  const noisySeconds = (performance.now() - startedAt) / 1000;
  say(`rules that misbehave: their tenant waited ${noisySeconds.toFixed(1)} s, the other ${calmSeconds.toFixed(1)} s`);
});

const schemaOf = (name: string): string =>
  `schema: ${name}\nfields:\n  - { name: id, type: string, required: true }\n  - { name: ${name.toLowerCase().replace('.', '_')}, type: string, required: true }\n`;

test('a tenant that uploads 10,000 schemas is told how many it may have, and costs nobody else an alert', async () => {
  const [noisy, calm] = [await deployment.tenant('many'), await deployment.tenant('few')];
  const { schemas, sources, detections } = deployment.services;
  await detections.save(calm.actor, ruleOf('Calm.Good', 'def rule(event):\n    return True\n'));
  const accepted: string[] = [];
  const refusals = new Set<string>();
  const startedAt = performance.now();
  for (let number = 0; number < 10_000; number += 1) {
    const name = `Custom.Many${number}`;
    await schemas.save(noisy.actor, { name, spec: schemaOf(name) }).then(
      () => accepted.push(name),
      (error: unknown) => refusals.add(error instanceof Error ? error.constructor.name : 'no error'),
    );
  }
  const uploadSeconds = (performance.now() - startedAt) / 1000;
  expect([accepted.length, [...refusals]]).toEqual([2000, ['DomainError']]);
  const perSource = 100;
  for (let first = 0; first < accepted.length; first += perSource) {
    const { id } = await sources.create(noisy.actor, {
      integrationLabel: `from ${first}`,
      logTypes: accepted.slice(first, first + perSource),
      logStreamType: 'Lines',
      authMethod: 'None',
    });
    const numbers = Array.from({ length: perSource }, (_, place) => first + place);
    const body = numbers.map((number) => JSON.stringify({ id: 'x', [`custom_many${number}`]: 'y' })).join('\n');
    expect((await fetch(`${deployment.url}/http/${id}`, { method: 'POST', body })).status).toBe(202);
  }
  const calmFrom = performance.now();
  expect((await calm.send(event('calm'))).status).toBe(202);
  const span = { createdAtAfter: new Date(0), createdAtBefore: new Date(Date.now() + 3_600_000) };
  const alerts = async () => (await deployment.services.alerts.list(calm.actor, span)).alerts.length;
  await expect.poll(alerts, { timeout: 120_000, interval: 100 }).toBeGreaterThan(0);
  const calmSeconds = (performance.now() - calmFrom) / 1000;
  say(
    `10,000 schemas: ${uploadSeconds.toFixed(1)} s for 2,000 and 8,000 refusals; the other waited ${calmSeconds.toFixed(1)} s`,
  );
});
