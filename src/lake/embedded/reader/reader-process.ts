import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { connectionLost, QueryStopped } from '#platform/lake-client';
import { type Command, handIn, privateMemoryOf, spawnBehind } from '#platform/walls';
import { frameKinds } from './frames.ts';

type Start = {
  readonly command: Command;
  readonly folder: string;
  /** Where the engine is, and for a spare what it opens to be quicker later. */
  readonly start: object;
};

/** The one query of a reader. */
export type Task = {
  readonly task: object;
  readonly signal: AbortSignal;
  /** Private memory at which the process is ended; the engine's own ceiling lies below. */
  readonly memoryBytesMax: number;
  readonly timeoutSeconds: number;
};

type Frame = { readonly kind: number; readonly body: Buffer };

export type Progress = { readonly readRows: number; readonly readBytes: number };

const frameBytesMax = 16 * 1024 * 1024;
const lookMs = 200;
const readyTimeoutMs = 30_000;
/** The engine ends a query at its own limit; the process goes when it did not. */
const graceSeconds = 10;
const memoryExceeded = 241;
const timeExceeded = 159;

function progressOf(body: Buffer): Progress | undefined {
  const values: unknown = JSON.parse(body.toString('utf8'));
  if (!Array.isArray(values)) return undefined;
  const [readRows, readBytes] = values.map(Number);
  return Number.isFinite(readRows) && Number.isFinite(readBytes)
    ? { readRows: readRows ?? 0, readBytes: readBytes ?? 0 }
    : undefined;
}

function failureOf(body: Buffer): QueryStopped {
  const message = body.subarray(0, 4000).toString('utf8');
  return new QueryStopped(Number(/Code: (\d+)/.exec(message)?.[1] ?? connectionLost), message);
}

/** One query in one process: what it answers, how far it is, and its end whatever happens. */
export class ReaderProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #said: AsyncIterator<Frame> & AsyncIterable<Frame>;
  #isUsed = false;
  #end: QueryStopped | undefined;
  #words = '';
  progress: Progress = { readRows: 0, readBytes: 0 };
  readonly exited: Promise<void>;

  constructor({ command, folder, start }: Start) {
    this.#child = spawnBehind(command, folder);
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString()).slice(-2000);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    });
    this.#said = this.#frames();
    this.#child.stdin.write(`${JSON.stringify(start)}\n`);
  }

  /** When a spare has loaded its engine; throws when it did not come that far. */
  async ready(): Promise<void> {
    const late = setTimeout(() => this.end(), readyTimeoutMs);
    const { value } = await this.#said.next();
    clearTimeout(late);
    if (value?.kind !== frameKinds.ready)
      throw new Error(`A spare reader did not start. ${value?.body?.toString('utf8').slice(0, 1000) ?? this.#words}`);
  }

  /** Shows a spare the folders of its query; throws when it cannot be used. */
  async handIn(folders: readonly string[]): Promise<void> {
    if (folders.length > 0) await handIn(this.#child, folders);
  }

  /** Ends a reader that has no query. */
  end(): void {
    this.#kill(new QueryStopped(connectionLost, 'The reader was not needed.'));
  }

  /** Ends the process and what it may have started. `why` is what the query is answered with. */
  #kill(why: QueryStopped): void {
    this.#end ??= why;
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // Already gone.
    }
    this.#child.stdout.destroy();
  }

  async #lookAtMemory(memoryBytesMax: number): Promise<void> {
    const bytes = this.#child.pid === undefined ? 0 : ((await privateMemoryOf(this.#child.pid)) ?? 0);
    if (bytes > memoryBytesMax)
      this.#kill(new QueryStopped(memoryExceeded, `The reader held ${bytes} bytes and was ended.`));
  }

  /** Rows as bytes. Leaving the loop ends the process, which serves nothing else. */
  async *rows({ task, signal, memoryBytesMax, timeoutSeconds }: Task): AsyncIterable<Uint8Array> {
    if (this.#isUsed) throw new Error('A reader serves one query.');
    this.#isUsed = true;
    this.#child.stdin.write(`${JSON.stringify(task)}\n`);
    const abort = (): void => this.#kill(new QueryStopped(connectionLost, 'The query was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const looking = setInterval(() => void this.#lookAtMemory(memoryBytesMax), lookMs);
    const late = setTimeout(
      () => this.#kill(new QueryStopped(timeExceeded, 'The reader did not end in time.')),
      (timeoutSeconds + graceSeconds) * 1000,
    );
    try {
      for await (const { kind, body } of this.#said) {
        if (kind === frameKinds.end) return;
        if (kind === frameKinds.failure) throw failureOf(body);
        if (kind === frameKinds.progress) this.#note(progressOf(body));
        else yield body;
      }
      throw new QueryStopped(connectionLost, `The reader ended early. ${this.#words}`);
    } catch (error) {
      throw this.#end ?? error;
    } finally {
      clearInterval(looking);
      clearTimeout(late);
      signal.removeEventListener('abort', abort);
      this.#kill(new QueryStopped(connectionLost, 'The query is over.'));
    }
  }

  #note(seen: Progress | undefined): void {
    if (seen === undefined) return;
    this.progress = {
      readRows: Math.max(seen.readRows, this.progress.readRows),
      readBytes: Math.max(seen.readBytes, this.progress.readBytes),
    };
  }

  async *#frames(): AsyncGenerator<Frame, undefined> {
    let chunks: Uint8Array[] = [];
    let held = 0;
    let wanted = 5;
    for await (const chunk of this.#child.stdout as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      held += chunk.length;
      if (held < wanted) continue;
      let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      while (rest.length >= 5) {
        const length = rest.readUInt32LE(1);
        if (length > frameBytesMax) throw new QueryStopped(connectionLost, 'The reader answered out of form.');
        if (rest.length < 5 + length) break;
        yield { kind: rest.readUInt8(0), body: rest.subarray(5, 5 + length) };
        rest = rest.subarray(5 + length);
      }
      chunks = [rest];
      held = rest.length;
      wanted = rest.length >= 5 ? 5 + rest.readUInt32LE(1) : 5;
    }
  }
}
