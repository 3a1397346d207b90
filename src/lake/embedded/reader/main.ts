/**
 * A reader: one query of a user over the tables of that query, in a process behind the outer wall that ends with it.
 * It copies itself from nothing but its bundle. The first line of standard input says where the engine is; the second is
 * the query. Between the two a spare loads the engine and opens it once over nothing, since the second time is quicker.
 */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { frame, frameKinds } from './frames.ts';

type File = { readonly path: string; readonly text: string };
type Task = {
  readonly scratch: string;
  readonly files: readonly File[];
  readonly links: readonly File[];
  readonly sql: string;
};
type Start = { readonly modules: string; readonly warmUp?: Task };
type Connection = {
  close(): void;
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

type Open = (task: Task) => Connection;

function loadEngine({ modules }: Start): Open {
  const { Session } = createRequire(path.join(modules, 'reader.js'))('chdb') as {
    Session: new (folder: string, options: object) => Connection;
  };
  return ({ scratch }) =>
    new Session(path.join(scratch, 'store'), {
      connectionArgs: [`--config-file=${path.join(scratch, 'engine.xml')}`],
    });
}

async function warmUp(open: Open, task: Task): Promise<void> {
  makePlace(task);
  const connection = open(task);
  await connection.queryAsync(task.sql, { format: 'JSONCompactEachRow' });
  connection.close();
  rmSync(task.scratch, { recursive: true });
}

async function run(open: Open, task: Task): Promise<void> {
  makePlace(task);
  const connection = open(task);
  const tell = startBeat(open(task));
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

async function serveOnce(lines: AsyncIterator<string>): Promise<void> {
  const start = JSON.parse((await lines.next()).value) as Start;
  const open = loadEngine(start);
  if (start.warmUp !== undefined) {
    await warmUp(open, start.warmUp);
    await say(frameKinds.ready, Buffer.alloc(0));
  }
  await run(open, JSON.parse((await lines.next()).value) as Task);
}

process.stdin.on('end', () => process.exit(0));
serveOnce(createInterface({ input: process.stdin })[Symbol.asyncIterator]())
  .catch((error: unknown) =>
    say(frameKinds.failure, Buffer.from(error instanceof Error ? error.message : String(error))),
  )
  .finally(() => process.exit(0));
