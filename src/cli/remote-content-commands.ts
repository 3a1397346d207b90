import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { readClientSettings } from '#platform/config';
import { type ApiClient, createApiClient } from './api-client.ts';
import { type Command, CommandError, type CommandIo } from './command.ts';
import { archiveOf, refuseProblems } from './content-archive.ts';
import { contentOptions, readLocalContent } from './content-options.ts';

/** Commands that carry content between a folder and a deployment. */

const clientOf = ({ environment }: CommandIo): ApiClient => createApiClient(readClientSettings(environment));

const counts = z.object({ new: z.number(), modified: z.number(), total: z.number() });
const groups = {
  rules: counts,
  policies: counts,
  correlationRules: counts,
  globalHelpers: counts,
  dataModels: counts,
  queries: counts,
  lookupTables: counts,
  scheduledPrompts: counts,
  packs: counts,
};
const result = z.object(groups);
const status = z.object({
  detectionEntitiesUploadStatus: z.object({
    status: z.enum(['NOT_PROCESSED', 'COMPLETED', 'FAILED']),
    error: z.string().nullable(),
    result: result.nullable(),
  }),
});
const groupFields = Object.keys(groups)
  .map((name) => `${name} { new modified total }`)
  .join(' ');

const pollMs = 500;
const waitMs = 300_000;

async function waitForUpload(client: ApiClient, receiptId: string): Promise<z.output<typeof result>> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const { detectionEntitiesUploadStatus: found } = await client.ask(
      `query status($id: ID!) { detectionEntitiesUploadStatus(receiptId: $id) { status error result { ${groupFields} } } }`,
      { id: receiptId },
      status,
    );
    if (found.status === 'FAILED') throw new CommandError(describeFailure(found.error ?? 'The upload failed.'));
    if (found.result) return found.result;
    if (performance.now() > deadline)
      throw new CommandError(`The upload ${receiptId} is not over yet. Look again later.`);
    await sleep(pollMs);
  }
}

const failure = z.object({
  error: z.string(),
  issues: z.array(z.object({ path: z.string(), errorMessage: z.string() })),
});

/** Failures are a text, or JSON with one line for each problem. */
function describeFailure(text: string): string {
  try {
    const { error, issues } = failure.parse(JSON.parse(text));
    return [error, ...issues.map((issue) => `  ${issue.path}: ${issue.errorMessage}`)].join('\n');
  } catch {
    return text;
  }
}

export const uploadCommand: Command = {
  name: 'upload',
  usage: [
    ['upload --path DIR [KEY=VALUE]… [--json]', 'save the content of a folder in a deployment, all of it or nothing'],
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: contentOptions });
    const content = await readLocalContent(values, positionals);
    refuseProblems(content);
    const { bytes } = await archiveOf(content);
    const client = clientOf(io);
    const receipt = await client.ask(
      'mutation upload($input: UploadDetectionEntitiesAsyncInput!) { uploadDetectionEntitiesAsync(input: $input) { receiptId } }',
      { input: { data: bytes.toString('base64') } },
      z.object({ uploadDetectionEntitiesAsync: z.object({ receiptId: z.string() }) }),
    );
    const found = await waitForUpload(client, receipt.uploadDetectionEntitiesAsync.receiptId);
    if (values.json) io.say(JSON.stringify(found));
    else
      for (const [name, { new: created, modified, total }] of Object.entries(found))
        if (total > 0) io.say(`${name.padEnd(17)} ${created} new, ${modified} modified, ${total} in all`);
    return 0;
  },
};

const detections = z.object({
  detections: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      body: z.string(),
      source: z.string(),
      specification: z.record(z.string(), z.unknown()),
    }),
  ),
});

/** A name that any file system takes. */
const fileNameOf = (id: string): string => id.replaceAll(/[^\w.-]/g, '_').slice(0, 150);

export const downloadCommand: Command = {
  name: 'download',
  usage: [['download --out DIR', 'write the content of a deployment into a folder']],
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: { out: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (values.out === undefined) throw new CommandError('Usage: margay download --out DIR');
    const found = await clientOf(io).ask('{ detections { id kind body source specification } }', {}, detections);
    const taken = new Set<string>();
    for (const { id, kind, body, source, specification } of found.detections) {
      const folder = path.join(values.out, kind.toLowerCase());
      await mkdir(folder, { recursive: true });
      let name = fileNameOf(id);
      while (taken.has(`${kind}/${name}`)) name += '_';
      taken.add(`${kind}/${name}`);
      // The Python lies beside the YAML under the name that the YAML gives, without its folders.
      const python = typeof specification['Filename'] === 'string' ? `${name}.py` : undefined;
      const text = source === '' ? JSON.stringify(specification, null, 2) : source;
      const renamed = python === undefined ? text : text.replace(/^(["']?Filename["']?\s*:).*$/m, `$1 ${python}`);
      await writeFile(path.join(folder, `${name}.yml`), renamed);
      if (python !== undefined && body !== '') await writeFile(path.join(folder, python), body);
    }
    io.say(
      values.json
        ? JSON.stringify({ items: found.detections.length })
        : `${found.detections.length} items in ${values.out}`,
    );
    return 0;
  },
};

const idsAtOnce = 100;

const deleted = z.object({
  deleteDetections: z.object({ ids: z.array(z.string()), savedQueryNames: z.array(z.string()) }),
});

export const deleteCommand: Command = {
  name: 'delete',
  usage: [['delete <id>… [--yes]', 'delete content of a deployment; without --yes it only says what would go']],
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { yes: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length === 0) throw new CommandError('Usage: margay delete <id>… [--yes]');
    const client = clientOf(io);
    const gone: string[] = [];
    for (let start = 0; start < positionals.length; start += idsAtOnce) {
      const input = {
        ids: positionals.slice(start, start + idsAtOnce),
        dryRun: !values.yes,
        includeSavedQueries: true,
      };
      const { deleteDetections } = await client.ask(
        'mutation remove($input: DeleteDetectionsInput!) { deleteDetections(input: $input) { ids savedQueryNames } }',
        { input },
        deleted,
      );
      gone.push(...deleteDetections.ids, ...deleteDetections.savedQueryNames);
    }
    const absent = positionals.filter((id) => !gone.includes(id));
    if (values.json) io.say(JSON.stringify({ ids: gone, absent, isDeleted: values.yes }));
    else {
      for (const id of gone) io.say(`${values.yes ? 'deleted' : 'would be deleted'}: ${id}`);
      for (const id of absent) io.say(`not there: ${id}`);
    }
    return gone.length === 0 ? 1 : 0;
  },
};
