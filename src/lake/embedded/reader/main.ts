/**
 * A reader: one query of a user over the tables of that query, in a process behind the outer wall that ends with it.
 * It copies itself from nothing but its bundle; the first line of standard input says everything else.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { frame, frameKinds } from './frames.ts';

type File = { readonly path: string; readonly text: string };
type Task = {
  readonly modules: string;
  readonly scratch: string;
  readonly files: readonly File[];
  readonly links: readonly File[];
  readonly sql: string;
};
type Connection = {
  queryAsync(sql: string, options: { format: string }): Promise<{ bytes(): Uint8Array }>;
  queryStream(sql: string, options: { format: string }): AsyncIterable<{ raw(): Uint8Array }>;
};

const beatMs = 250;
/** A block of wide rows may be hundreds of megabytes; the parent takes it in pieces, and stops where it has enough. */
const pieceBytes = 1024 * 1024;

/** Settles when the parent has room for more: a reader makes no more than is taken. */
const say = (kind: number, body: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    process.stdout.write(frame(kind, body), () => resolve());
  });

function makePlace({ files, links }: Task): void {
  for (const { path: file, text } of files) {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  }
  for (const { path: file, text } of links) symlinkSync(text, file);
}

/** What has been read, as the engine counts it, told while the query runs. */
function startBeat(watch: Connection): () => Promise<void> {
  let isAsking = false;
  const tell = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    const answer = await watch
      .queryAsync('SELECT toFloat64(sum(read_rows)), toFloat64(sum(read_bytes)) FROM system.processes', {
        format: 'JSONCompactEachRow',
      })
      .catch(() => undefined);
    if (answer !== undefined) await say(frameKinds.progress, answer.bytes());
    isAsking = false;
  };
  setInterval(() => void tell(), beatMs).unref();
  return tell;
}

async function run(task: Task): Promise<void> {
  makePlace(task);
  const { Session } = createRequire(path.join(task.modules, 'reader.js'))('chdb') as {
    Session: new (folder: string, options: object) => Connection;
  };
  const open = (): Connection =>
    new Session(path.join(task.scratch, 'store'), {
      connectionArgs: [`--config-file=${path.join(task.scratch, 'engine.xml')}`],
    });
  const connection = open();
  const tell = startBeat(open());
  let isFirst = true;
  for await (const chunk of connection.queryStream(task.sql, { format: 'JSONCompactEachRow' })) {
    // Short queries end before the first beat; while the first rows are given they are still there to be counted.
    if (isFirst) await tell();
    isFirst = false;
    const bytes = chunk.raw();
    for (let start = 0; start < bytes.length; start += pieceBytes)
      await say(frameKinds.rows, bytes.subarray(start, start + pieceBytes));
  }
  await say(frameKinds.end, Buffer.alloc(0));
}

const lines = createInterface({ input: process.stdin });
process.stdin.on('end', () => process.exit(0));
lines.once('line', (line) => {
  run(JSON.parse(line) as Task)
    .catch((error: unknown) =>
      say(frameKinds.failure, Buffer.from(error instanceof Error ? error.message : String(error))),
    )
    .finally(() => process.exit(0));
});
