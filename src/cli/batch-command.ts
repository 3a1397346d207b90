import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { readClientSettings } from '#platform/config';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Command, CommandError } from './command.ts';

const batch = z.object({
  id: z.string(),
  sourceId: z.string(),
  state: z.enum(['PENDING', 'ADMITTED', 'DONE', 'FAILED']),
  lane: z.string(),
  receivedAt: z.string(),
  finishedAt: z.string().nullable(),
  bytes: z.number(),
  traceId: z.string(),
  replayOf: z.string().nullable(),
  manifest: z
    .object({
      evaluatedAt: z.string(),
      contentRevision: z.string(),
      schemas: z.array(z.object({ name: z.string(), revision: z.number() })),
    })
    .nullable(),
  counters: z
    .object({
      events: z.number(),
      eventsByLogType: z.record(z.string(), z.number()),
      classificationFailures: z.number(),
      matches: z.number(),
      ruleErrors: z.number(),
    })
    .nullable(),
  error: z.string().nullable(),
});

type Batch = z.output<typeof batch>;

const fields = 'id sourceId state lane receivedAt finishedAt bytes traceId replayOf manifest counters error';

async function show(client: ApiClient, id: string): Promise<Batch> {
  const { batch: found } = await client.ask(
    `query batch($id: ID!) { batch(id: $id) { ${fields} } }`,
    { id },
    z.object({ batch }),
  );
  return found;
}

async function replay(client: ApiClient, id: string): Promise<Batch> {
  const { replayBatch } = await client.ask(
    `mutation replayBatch($input: ReplayBatchInput!) { replayBatch(input: $input) { ${fields} } }`,
    { input: { id } },
    z.object({ replayBatch: batch }),
  );
  return replayBatch;
}

const pollMs = 500;

async function untilOver(client: ApiClient, id: string, timeoutSeconds: number): Promise<Batch> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    const found = await show(client, id);
    if (found.state === 'DONE' || found.state === 'FAILED') return found;
    if (performance.now() > deadline)
      throw new CommandError(`Batch ${id} is still ${found.state} after ${timeoutSeconds} s. Look again later.`);
    await sleep(pollMs);
  }
}

const states: Readonly<Record<Batch['state'], string>> = {
  PENDING: 'waiting',
  ADMITTED: 'at work',
  DONE: 'done',
  FAILED: 'failed, kept; replay it once the cause is mended',
};

/** A batch as lines for a person. */
function describeBatch(found: Batch): readonly string[] {
  const { manifest, counters } = found;
  const rows: (readonly [string, string])[] = [
    ['batch', found.id],
    ['state', states[found.state]],
    ['source', found.sourceId],
    ['received', found.receivedAt],
    ['finished', found.finishedAt ?? '-'],
    ['bytes', `${found.bytes} as received, lane ${found.lane}`],
    ['trace', found.traceId],
  ];
  if (found.replayOf !== null) rows.push(['replay of', found.replayOf]);
  if (manifest) {
    rows.push(
      ['evaluated at', manifest.evaluatedAt],
      ['content', manifest.contentRevision],
      ['schemas', manifest.schemas.map(({ name, revision }) => `${name}@${revision}`).join(', ') || '-'],
    );
  }
  if (counters) {
    const types = Object.entries(counters.eventsByLogType).map(([name, count]) => `${name} ${count}`);
    rows.push(
      ['events', `${counters.events}${types.length > 0 ? ` (${types.join(', ')})` : ''}`],
      ['unclassified', String(counters.classificationFailures)],
      ['matches', `${counters.matches}, rule errors ${counters.ruleErrors}`],
    );
  }
  if (found.error !== null) rows.push(['last error', found.error]);
  return rows.map(([name, value]) => `${name.padEnd(13)} ${value}`);
}

const callOf = 'margay batch show|replay <id> [--wait] [--json]';

/** `margay batch`: where a batch is and what came of it, and trying it again. */
export const batchCommand: Command = {
  name: 'batch',
  usage: [
    ['batch show <id> [--json]', 'where a batch is, its plan and what came of it'],
    ['batch replay <id> [--wait] [--json]', 'try a failed batch, or the unclassified records of a finished one, again'],
  ],
  async run(args, { environment, say }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, wait: { type: 'boolean', default: false } },
    });
    const [action, id, ...more] = positionals;
    if ((action !== 'show' && action !== 'replay') || id === undefined || more.length > 0)
      throw new CommandError(`Usage: ${callOf}`);
    const client = createApiClient(readClientSettings(environment));
    let found = action === 'show' ? await show(client, id) : await replay(client, id);
    if (values.wait) found = await untilOver(client, found.id, 300);
    if (values.json) say(JSON.stringify(found));
    else for (const line of describeBatch(found)) say(line);
    return found.state === 'FAILED' ? 1 : 0;
  },
};
