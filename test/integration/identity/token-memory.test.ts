import { afterAll, expect, test } from 'vitest';
import { systemActor } from '#access';
import { createAuditRecorder } from '#audit';
import { createTokenMemory, createTokenService } from '#identity';
import { manualClock } from '#platform/clock';
import { systemIds } from '#platform/ids';
import type { Database } from '#platform/postgres';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';

const { database, close } = await createTestDatabase();
const clock = manualClock(new Date('2026-06-01T12:00:00Z'));
const audit = createAuditRecorder({ database, clock });
const ends: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const end of ends) await end();
  await close();
});

/** Token services as two processes have them, each with a memory of its own, and how often this one asked the database. */
async function startProcess() {
  let lookUps = 0;
  const counted: Database = {
    ...database,
    readSystem(reason) {
      lookUps += 1;
      return database.readSystem(reason);
    },
  };
  const memory = createTokenMemory(clock);
  ends.push(await memory.follow(database));
  const tokens = createTokenService({ database: counted, audit, clock, ids: systemIds, memory });
  return { tokens, lookUps: () => lookUps };
}

const [one, other] = [await startProcess(), await startProcess()];
const origin = { traceId: '1'.repeat(32), ipAddress: '203.0.113.7' };

async function newToken() {
  const tenantId = await createTenant(database);
  const actor = systemActor(tenantId, 'test', origin.traceId);
  const made = await one.tokens.create(actor, { name: 'short', permissions: ['AlertRead', 'RuleRead'] });
  return { actor, tenantId, id: made.token.id, value: made.value };
}

const isGood = async (at: typeof one, value: string): Promise<boolean> =>
  at.tokens.authenticate(value, origin).then(
    () => true,
    () => false,
  );

test('a token that was just checked is not looked up again, and after two seconds it is', async () => {
  const { value, tenantId } = await newToken();
  expect((await other.tokens.authenticate(value, origin)).tenantId).toBe(tenantId);
  const before = other.lookUps();
  for (let time = 0; time < 10; time += 1) await other.tokens.authenticate(value, origin);
  expect(other.lookUps()).toBe(before);
  clock.advance(2000);
  await other.tokens.authenticate(value, origin);
  expect(other.lookUps()).toBe(before + 1);
});

test('a revoked token is refused by the next request here, and at once elsewhere though time stands still', async () => {
  const { actor, id, value } = await newToken();
  expect([await isGood(one, value), await isGood(other, value)]).toEqual([true, true]);
  await one.tokens.delete(actor, { id });
  expect(await isGood(one, value)).toBe(false);
  await expect.poll(() => isGood(other, value), { interval: 5, timeout: 1000 }).toBe(false);
});

test('taken permissions and addresses, and a replaced value, count in the same way', async () => {
  const { actor, id, value } = await newToken();
  const may = async (at: typeof one) => [...(await at.tokens.authenticate(value, origin)).permissions].toSorted();
  expect(await may(other)).toEqual(['AlertRead', 'RuleRead']);
  await one.tokens.update(actor, { id, permissions: ['RuleRead'] });
  expect(await may(one)).toEqual(['RuleRead']);
  await expect.poll(() => may(other), { interval: 5, timeout: 1000 }).toEqual(['RuleRead']);
  await one.tokens.update(actor, { id, allowedCIDRBlocks: ['198.51.100.0/24'] });
  expect(await isGood(one, value)).toBe(false);
  await expect.poll(() => isGood(other, value), { interval: 5, timeout: 1000 }).toBe(false);
  await one.tokens.update(actor, { id, allowedCIDRBlocks: [] });
  await expect.poll(() => isGood(other, value), { interval: 5, timeout: 1000 }).toBe(true);
  const fresh = await one.tokens.rotate(actor, { id });
  expect([await isGood(one, value), await isGood(one, fresh.value)]).toEqual([false, true]);
  await expect.poll(() => isGood(other, value), { interval: 5, timeout: 1000 }).toBe(false);
});

test('what removes a token without the service is told as well', async () => {
  const { tenantId, value } = await newToken();
  expect(await isGood(other, value)).toBe(true);
  await database.withSystem('a test removes a tenant', (tx) =>
    tx.execute('DELETE FROM api_tokens WHERE tenant_id = $1', [tenantId]),
  );
  await expect.poll(() => isGood(other, value), { interval: 5, timeout: 1000 }).toBe(false);
});

test('what was read while a change was told is not remembered', async () => {
  const memory = createTokenMemory(clock);
  ends.push(await memory.follow(database));
  const token = { tenantId: 'x' } as Awaited<ReturnType<Parameters<typeof memory.find>[1]>>;
  const during = await memory.find('hash', async () => {
    memory.forget();
    return token;
  });
  expect(during).toBe(token);
  expect(await memory.find('hash', async () => undefined)).toBeUndefined();
});

test('a token that expires is refused on time, remembered or not', async () => {
  const { actor } = await newToken();
  const expiresAt = new Date(clock.now().getTime() + 1000);
  const { value } = await one.tokens.create(actor, { name: 'ends', permissions: ['AlertRead'], expiresAt });
  expect(await isGood(one, value)).toBe(true);
  clock.advance(1000);
  expect(await isGood(one, value)).toBe(false);
});
