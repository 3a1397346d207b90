import { afterAll, expect, test } from 'vitest';
import { defaultBodyLimits } from '../streams/body.ts';
import { createNormalizer, inPlace } from './bulk-thread.ts';
import type { RawBatch } from './normalize-batch.ts';

const schema = `schema: Custom.Bulk
fields:
  - { name: id, type: string, required: true }
  - { name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }
`;
const line = (index: number): string =>
  index % 50 === 0 ? `not a record ${index}\n` : `{"id":"${index}","at":"2026-01-01T00:00:00Z","wide":"é😀"}\n`;

function rawBatch(lines: number, text = schema): RawBatch {
  const bytes = Buffer.from(Array.from({ length: lines }, (_, index) => line(index)).join(''));
  return {
    tenantId: 't',
    sourceId: 's',
    recordsOf: 'b',
    isReplay: false,
    evaluatedAt: '2026-01-01T00:00:00.000Z',
    rowIds: 'numbered',
    source: { label: 'source', streamType: 'Lines', streamOptions: {} },
    parts: [{ offset: 0, length: bytes.length, receivedAt: '2026-01-01T00:00:00.000Z', traceId: 'x' }],
    bytes,
    schemas: [text],
    triedSchemas: [],
  };
}

const normalizer = createNormalizer();
afterAll(() => normalizer.close());

test('the thread makes the very bytes that are made in place', async () => {
  const raw = rawBatch(5000);
  const [bulk, direct] = [
    await normalizer.normalize(raw, defaultBodyLimits),
    await inPlace.normalize(raw, defaultBodyLimits),
  ];
  expect(direct.logs[0]?.count).toBe(4900);
  expect(direct.failures).toHaveLength(100);
  expect(bulk).toEqual(direct);
  expect(bulk.logs[0]?.rows).toBeInstanceOf(Buffer);
});

test('a single event is read while a mountain is in the thread, and of two mountains the smaller is done first', async () => {
  const done: string[] = [];
  const read = (name: string, lines: number) =>
    normalizer.normalize(rawBatch(lines), defaultBodyLimits).then(() => done.push(name));
  await Promise.all([read('mountain', 60_000), read('hill', 2000), read('event', 1)]);
  expect(done).toEqual(['event', 'hill', 'mountain']);
});

test('what is wrong with a batch is told as it would be in place', async () => {
  await expect(normalizer.normalize(rawBatch(5000, 'no schema'), defaultBodyLimits)).rejects.toMatchObject({
    code: 'internal',
    publicMessage: 'A stored schema cannot be read.',
  });
});

test('when the thread ends, who waits for it is told, and the next batch finds another', async () => {
  const own = createNormalizer();
  const waiting = own.normalize(rawBatch(60_000), defaultBodyLimits);
  const told = expect(waiting).rejects.toThrow('The thread that reads large batches ended.');
  await own.close();
  await told;
  expect((await own.normalize(rawBatch(5000), defaultBodyLimits)).logs[0]?.count).toBe(4900);
  await own.close();
});
