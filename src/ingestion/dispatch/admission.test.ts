import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admitBatches, type Fairness, noHistory, type Running, type WaitingBatch } from './admission.ts';

const batch = (
  tenantId: string,
  batchId: string,
  bytes = 100,
  sourceId = 's1',
  lane: 'live' | 'replay' = 'live',
): WaitingBatch => ({
  tenantId,
  sourceId,
  batchId,
  lane,
  bytes,
});
const many = (tenantId: string, count: number, bytes = 100) =>
  Array.from({ length: count }, (_, index) => batch(tenantId, `${tenantId}${index}`, bytes));
const limits = { perTenant: 4, total: 6, reserved: 0, quantumBytes: 100 };
const running = (tenantId: string, count: number, sourceId = 's1'): readonly Running[] => [
  { tenantId, sourceId, count },
];

test('a tenant with one batch starts although another has thousands waiting', () => {
  const { admitted } = admitBatches([...many('a', 2000), batch('b', 'b0')], [], limits, noHistory);
  expect(admitted.map((item) => item.batchId)).toContain('b0');
  expect(admitted).toHaveLength(5);
});

test('a tenant never has more at work than its limit', () => {
  const { admitted } = admitBatches(many('a', 10), running('a', 3), limits, noHistory);
  expect(admitted).toHaveLength(1);
});

test('bytes are shared, not batches: small batches of one tenant keep up with large ones of another', () => {
  const waiting = [...many('a', 50, 1000), ...many('b', 500, 100)];
  let history: Fairness = noHistory;
  const sent = { a: 0, b: 0 };
  const gone = new Set<string>();
  for (let round = 0; round < 100; round++) {
    const left = waiting.filter((item) => !gone.has(item.batchId));
    const result = admitBatches(left, [], { perTenant: 1000, total: 5, reserved: 0, quantumBytes: 500 }, history);
    history = result.history;
    for (const item of result.admitted) {
      gone.add(item.batchId);
      sent[item.tenantId === 'a' ? 'a' : 'b'] += item.bytes;
    }
  }
  expect(sent.a / sent.b).toBeGreaterThan(0.5);
  expect(sent.a / sent.b).toBeLessThan(2);
});

test('sources of one tenant take turns, live before replay', () => {
  const waiting = [
    batch('a', 'r1', 10, 's9', 'replay'),
    batch('a', '1', 10, 's1'),
    batch('a', '2', 10, 's1'),
    batch('a', '3', 10, 's2'),
  ];
  const { admitted } = admitBatches(waiting, [], { ...limits, perTenant: 3 }, noHistory);
  expect(admitted.map((item) => item.batchId)).toEqual(['1', '3', 'r1']);
});

test('a batch larger than the quantum starts all the same', () => {
  expect(admitBatches([batch('a', 'big', 1e9)], [], { ...limits, quantumBytes: 1e6 }, noHistory).admitted).toHaveLength(
    1,
  );
});

test('whatever waits: nothing starts twice, limits hold, and free places are never left unused', () => {
  const waitingBatches = fc.uniqueArray(
    fc.record({
      tenantId: fc.constantFrom('a', 'b', 'c'),
      sourceId: fc.constantFrom('s1', 's2'),
      batchId: fc.uuid(),
      lane: fc.constantFrom('live' as const, 'replay' as const),
      bytes: fc.nat(5000),
    }),
    { selector: (item) => item.batchId, maxLength: 40 },
  );
  const withPlaces = { ...limits, reserved: 2 };
  fc.assert(
    fc.property(waitingBatches, fc.nat(6), (waiting, runningA) => {
      const { admitted } = admitBatches(waiting, running('a', runningA), withPlaces, noHistory);
      const ids = new Set(admitted.map((item) => item.batchId));
      expect(ids.size).toBe(admitted.length);
      const atWork = [...running('a', runningA), ...admitted.map((item) => ({ ...item, count: 1 }))];
      const count = (isCounted: (item: Running) => boolean): number =>
        atWork.filter(isCounted).reduce((sum, item) => sum + item.count, 0);
      const all = count(() => true);
      expect(all).toBeLessThanOrEqual(Math.max(runningA, withPlaces.total + withPlaces.reserved));
      for (const { tenantId, sourceId, batchId } of waiting.filter((item) => !ids.has(item.batchId))) {
        const idle = count((item) => item.tenantId === tenantId && item.sourceId === sourceId) === 0 ? 1 : 0;
        const mine = count((item) => item.tenantId === tenantId);
        const isFull = all >= withPlaces.total + idle * withPlaces.reserved || mine >= withPlaces.perTenant + idle;
        expect(isFull, batchId).toBe(true);
      }
    }),
  );
});

test('places are kept for sources that have nothing at work, in another tenant and in the same', () => {
  const full = { perTenant: 4, total: 4, reserved: 1, quantumBytes: 100 };
  const atWork = running('a', 4);
  expect(admitBatches(many('a', 10), atWork, full, noHistory).admitted).toEqual([]);
  const stranger = [...many('a', 10), batch('b', 'b0'), batch('b', 'b1')];
  expect(admitBatches(stranger, atWork, full, noHistory).admitted.map((item) => item.batchId)).toEqual(['b0']);
  const sibling = [...many('a', 10), batch('a', 'quiet', 100, 's2')];
  expect(admitBatches(sibling, atWork, full, noHistory).admitted.map((item) => item.batchId)).toEqual(['quiet']);
});
