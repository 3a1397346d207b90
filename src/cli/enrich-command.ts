import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { type ContentItem, hasTests } from '#detections';
import { readClientSettings } from '#platform/config';
import { z } from 'zod';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Command, CommandError } from './command.ts';
import { contentOptions, readLocalContent } from './content-options.ts';
import { withEnrichment } from './test-data.ts';

type Event = Readonly<Record<string, unknown>>;
type TestEvent = { readonly number: number; readonly event: Event };

/** Events of one request: the API takes so many root fields. */
const eventsAtOnce = 20;

/** Events of an item's tests; one that does not say its log type has the item's first. */
function eventsOf({ spec }: ContentItem): readonly TestEvent[] {
  if (spec.AnalysisType !== 'rule' && spec.AnalysisType !== 'scheduled_rule') return [];
  const logType = 'LogTypes' in spec ? spec.LogTypes?.[0] : undefined;
  return (spec.Tests ?? []).flatMap((test, number) => {
    const event: unknown = test.Log;
    if (typeof event !== 'object' || event === null || Array.isArray(event)) return [];
    return [{ number, event: { ...(logType === undefined ? {} : { p_log_type: logType }), ...event } }];
  });
}

const answer = z.record(z.string(), z.object({ enrichedEvent: z.record(z.string(), z.unknown()).nullable() }));

async function ask(client: ApiClient, events: readonly TestEvent[]): Promise<ReadonlyMap<number, unknown>> {
  const found = new Map<number, unknown>();
  for (let start = 0; start < events.length; start += eventsAtOnce) {
    const some = events.slice(start, start + eventsAtOnce);
    const fields = some.map((_, at) => `e${at}: generateEnrichedEvent(input: {event: $e${at}}) { enrichedEvent }`);
    const query = `query enrich(${some.map((_, at) => `$e${at}: JSON!`).join(' ')}) { ${fields.join(' ')} }`;
    const variables = Object.fromEntries(some.map(({ event }, at) => [`e${at}`, event]));
    const answers = await client.ask(query, variables, answer);
    for (const [at, { number, event }] of some.entries()) {
      const enrichment = answers[`e${at}`]?.enrichedEvent?.['p_enrichment'];
      const isThere = typeof enrichment === 'object' && enrichment !== null && Object.keys(enrichment).length > 0;
      if (isThere && !isDeepStrictEqual(enrichment, event['p_enrichment'])) found.set(number, enrichment);
    }
  }
  return found;
}

type Outcome = { readonly file: string; readonly tests: number; readonly enriched: number; readonly error?: string };

async function enrichFile(client: ApiClient, folder: string, file: string, item: ContentItem): Promise<Outcome> {
  const events = eventsOf(item);
  try {
    const enrichments = await ask(client, events);
    if (enrichments.size > 0) {
      const place = path.join(folder, file);
      await writeFile(place, withEnrichment(await readFile(place, 'utf8'), enrichments));
    }
    return { file, tests: events.length, enriched: enrichments.size };
  } catch (error) {
    return { file, tests: events.length, enriched: 0, error: error instanceof Error ? error.message : 'failed' };
  }
}

const sum = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + of(outcome), 0);

export const enrichTestDataCommand: Command = {
  name: 'enrich-test-data',
  usage: [
    [
      'enrich-test-data --path DIR [KEY=VALUE]… [--json]',
      "write what a deployment's enrichment adds into the events of unit tests",
    ],
  ],
  async run(args, { environment, say, progress }) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: contentOptions });
    const { folder, chosen, fileOf } = await readLocalContent(values, positionals);
    const client = createApiClient(readClientSettings(environment));
    await client.ask('{ generalSettings { pantherVersion } }', {}, z.unknown());
    const outcomes: Outcome[] = [];
    for (const item of chosen.filter((candidate) => hasTests(candidate) && eventsOf(candidate).length > 0)) {
      outcomes.push(await enrichFile(client, folder, fileOf.get(item.id) ?? '', item));
      progress?.(`${outcomes.length} files`);
    }
    const total = {
      files: outcomes.length,
      tests: sum(outcomes, ({ tests }) => tests),
      enriched: sum(outcomes, ({ enriched }) => enriched),
      changedFiles: outcomes.filter(({ enriched }) => enriched > 0).length,
    };
    const failed = outcomes.filter(({ error }) => error !== undefined);
    if (values.json) say(JSON.stringify({ ...total, failed: failed.map(({ file, error }) => ({ file, error })) }));
    else {
      for (const { file, error } of failed) say(`${file}: ${error ?? ''}`);
      say(
        `${total.tests} events of ${total.files} files: ${total.enriched} enriched, ${total.changedFiles} files changed, ${failed.length} files not done`,
      );
    }
    if (chosen.length === 0) throw new CommandError('No content was chosen.');
    return failed.length === 0 ? 0 : 1;
  },
};
