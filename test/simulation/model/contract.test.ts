/**
 * What keeps the model of Postgres honest: the product's own store functions, called in random order with the same
 * arguments on a real Postgres and on the model, must answer the same.
 */
import { afterAll, expect, test } from 'vitest';
import type { Database, TenantTx, Tx } from '#platform/postgres';
import { createRandom } from '../../../scripts/chaos/random.ts';
import { createTenant, createTestDatabase } from '../../support/postgres.ts';
import { callGroups } from './contract-calls.ts';
import { type Call, type Choice, idIn } from './contract-choice.ts';
import { allStatements } from './database.ts';
import { openModelDatabase } from './memory-database.ts';

const real = await createTestDatabase();
afterAll(() => real.close());

const used = new Set<string>();

const openModel = (): Database =>
  openModelDatabase((statement, _call, proceed) => {
    used.add(statement.name);
    return proceed();
  });

/** Answers in a form that can be compared: the order of keys and what the clock decides do not matter. */
function comparable(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return comparable([...value].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
  if (value instanceof Set) return comparable([...value].toSorted());
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => !clockFields.has(name));
  return Object.fromEntries(entries.map(([name, item]) => [name, comparable(item)]).toSorted());
}
const clockFields = new Set(['createdAt', 'updatedAt', 'finishedAt', 'ageSeconds']);

async function answer(database: Database, call: Call, choice: Choice): Promise<unknown> {
  const run = (tx: Tx): Promise<unknown> => call.run(tx as TenantTx, choice);
  try {
    const value = await (call.isForAll === true
      ? database.withSystem('the contract of the model', run)
      : database.withTenant(choice.tenantId, run));
    return comparable(value);
  } catch (error) {
    return { code: error instanceof Error && 'code' in error ? error.code : String(error) };
  }
}

test('the model answers as Postgres does, whatever is asked in whatever order', async () => {
  for (const [seed, calls] of callGroups.entries()) {
    const model = openModel();
    const tenants = [await createTenant(real.database), await createTenant(real.database)];
    const random = createRandom(seed);
    const prefix = `${seed}`;
    for (let step = 0; step < 200; step++) {
      const tenantId = tenants[random() < 0.7 ? 0 : 1] ?? '';
      const call = calls[Math.floor(random() * calls.length)];
      if (call === undefined) throw new Error('There are no calls.');
      const numbers = Array.from({ length: 8 }, random);
      const choice: Choice = { tenantId, tenants, numbers, idOf: (kind, count) => idIn(prefix, tenantId, kind, count) };
      const [wanted, found] = [await answer(real.database, call, choice), await answer(model, call, choice)];
      expect({ seed, step, call: call.name, answer: found }).toEqual({ seed, step, call: call.name, answer: wanted });
    }
    await real.database.withSystem('the next run begins anew', (tx) =>
      tx.execute('DELETE FROM tenants WHERE id = ANY ($1::uuid[])', [tenants]),
    );
  }
});

test('every statement that the model knows was compared', () => {
  // The first is of another room; the second needs a revision that is an hour old.
  const elsewhere = ['insertSystemAlert', 'touchRevision'];
  expect(allStatements.map(({ name }) => name).filter((name) => !used.has(name) && !elsewhere.includes(name))).toEqual(
    [],
  );
});
