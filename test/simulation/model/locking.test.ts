import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import type { Database, TenantTx, Tx } from '#platform/postgres';
import { sendAllInTransaction } from '#platform/jobs';
import { deliverAlertJob } from '#alerts';
import type { Window } from '../../../src/alerts/dedup/window.ts';
import { lockWindows, saveWindows } from '../../../src/alerts/dedup/window-store.ts';
import { claimKey, findBatch, insertBatch } from '../../../src/ingestion/batches/batch-store.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { openModelDatabase } from './memory-database.ts';

const real = await createTestDatabase();
afterAll(() => real.close());
const databases: readonly (readonly [string, Database])[] = [
  ['Postgres', real.database],
  ['the model', openModelDatabase()],
];

const tenant = () => createTenant(real.database);

/** A transaction that stays open until told. */
async function openTransaction(database: Database, tenantId: string) {
  let end: (error?: Error) => void = () => undefined;
  const told = new Promise<void>((resolve, reject) => (end = (error) => (error ? reject(error) : resolve())));
  let begun: (tx: TenantTx) => void = () => undefined;
  const ready = new Promise<TenantTx>((resolve) => (begun = resolve));
  const done = database.withTenant(tenantId, async (tx) => {
    begun(tx);
    await told;
  });
  const tx = await ready;
  const settle = (error?: Error) => {
    end(error);
    return done.catch(() => undefined);
  };
  return { tx, commit: () => settle(), rollback: () => settle(new Error('rolled back')) };
}

const window = (matchCount: number): Window => ({
  id: 'w',
  alertId: 'a',
  openedAt: new Date(0),
  closesAt: new Date(1),
  matchCount,
  isAlert: false,
  pending: null,
});
const batch = (id: string) => ({
  id,
  sourceId: randomUUID(),
  lane: 'live' as const,
  receivedAt: new Date(),
  objectKey: 'k',
  parts: [],
  bytes: 1,
  traceId: 't',
  replayOf: null,
});

/** Whether it ends by itself within a moment. */
const endsSoon = async (work: Promise<unknown>): Promise<boolean> =>
  Promise.race([work.then(() => true), sleep(150, false)]);

describe.each(databases)('%s', (_name, database) => {
  test('who wants a locked row waits and then sees what was committed', async () => {
    const tenantId = await tenant();
    await database.withTenant(tenantId, (tx) => lockWindows(tx, [window(0)]));
    const first = await openTransaction(database, tenantId);
    await lockWindows(first.tx, [window(0)]);
    await saveWindows(first.tx, [window(7)]);
    const second = database.withTenant(tenantId, (tx) => lockWindows(tx, [window(0)]));
    expect(await endsSoon(second)).toBe(false);
    await first.commit();
    expect((await second).get('w')?.matchCount).toBe(7);
  });

  test('of two that claim a key at once the second waits, and gets it when the first gives up', async () => {
    const tenantId = await tenant();
    const [source, one, two] = [randomUUID(), randomUUID(), randomUUID()];
    const first = await openTransaction(database, tenantId);
    expect(await claimKey(first.tx, source, 'k', one)).toBe(one);
    const second = database.withTenant(tenantId, (tx) => claimKey(tx, source, 'k', two));
    expect(await endsSoon(second)).toBe(false);
    await first.rollback();
    expect(await second).toBe(two);
    expect(await database.withTenant(tenantId, (tx) => claimKey(tx, source, 'k', one))).toBe(two);
  });

  test('a row that exists already is not locked by an insert that gives way', async () => {
    const tenantId = await tenant();
    const [source, one, two] = [randomUUID(), randomUUID(), randomUUID()];
    await database.withTenant(tenantId, (tx) => claimKey(tx, source, 'k', one));
    const first = await openTransaction(database, tenantId);
    await claimKey(first.tx, source, 'k', two);
    expect(await endsSoon(database.withTenant(tenantId, (tx) => claimKey(tx, source, 'k', two)))).toBe(true);
    await first.commit();
  });

  test('who skips locked rows takes the others', async () => {
    const tenantId = await tenant();
    const payload = { tenantId, deliveryId: 'a'.repeat(32) };
    await database.withTenant(tenantId, (tx) => sendAllInTransaction(tx, deliverAlertJob, [payload, payload]));
    const take = (tx: Tx) =>
      tx.query('SELECT id, job_name, payload FROM outbox_jobs ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED', [1]);
    const first = await openTransaction(database, tenantId);
    const [mine] = await take(first.tx);
    const others = await database.withTenant(tenantId, take);
    expect(others).toHaveLength(1);
    expect(others[0]?.['id']).not.toBe(mine?.['id']);
    await first.commit();
  });

  test('what is not committed is seen by nobody else, and after a rollback never was', async () => {
    const tenantId = await tenant();
    const id = randomUUID();
    const first = await openTransaction(database, tenantId);
    await insertBatch(first.tx, batch(id));
    expect(await findBatch(first.tx, id)).toMatchObject({ id });
    expect(await database.withTenant(tenantId, (tx) => findBatch(tx, id))).toBeUndefined();
    await first.rollback();
    expect(await database.withTenant(tenantId, (tx) => findBatch(tx, id))).toBeUndefined();
  });

  test('two that wait for one another: one is refused', async () => {
    const tenantId = await tenant();
    const row = (id: string): Window => ({ ...window(0), id });
    await database.withTenant(tenantId, (tx) => lockWindows(tx, [row('x'), row('y')]));
    const first = await openTransaction(database, tenantId);
    const second = await openTransaction(database, tenantId);
    await lockWindows(first.tx, [row('x')]);
    await lockWindows(second.tx, [row('y')]);
    // Whoever is refused ends, as a transaction that failed does; only then the other one goes on.
    const tries = [first, second].map(async (one, index) => {
      const name = index === 0 ? 'y' : 'x';
      const code = await lockWindows(one.tx, [row(name)]).then(
        () => 'locked',
        (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown'),
      );
      await (code === 'locked' ? one.commit() : one.rollback());
      return code;
    });
    expect((await Promise.all(tries)).toSorted()).toEqual(['40P01', 'locked']);
  });

  test('a row of another tenant can neither be seen nor written', async () => {
    const [mine, other] = [await tenant(), await tenant()];
    const id = randomUUID();
    await database.withTenant(other, (tx) => insertBatch(tx, batch(id)));
    const asOther = (tx: TenantTx): TenantTx => Object.create(tx, { tenantId: { value: other } }) as TenantTx;
    await database.withTenant(mine, async (tx) => {
      expect(await findBatch(asOther(tx), id)).toBeUndefined();
    });
    const write = database.withTenant(mine, (tx) => insertBatch(asOther(tx), batch(randomUUID())));
    await expect(write).rejects.toMatchObject({ code: '42501' });
  });
});
