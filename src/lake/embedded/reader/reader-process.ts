import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { connectionLost, QueryStopped } from '#platform/lake-client';
import { type Command, privateMemoryOf, spawnBehind } from '#platform/walls';
import { frameKinds } from './frames.ts';

type Options = {
  readonly command: Command;
  readonly folder: string;
  readonly task: object;
  readonly signal: AbortSignal;
  /** Private memory at which the process is ended; the engine's own ceiling lies below. */
  readonly memoryBytesMax: number;
  readonly timeoutSeconds: number;
};

export type Progress = { readonly readRows: number; readonly readBytes: number };

const frameBytesMax = 16 * 1024 * 1024;
const lookMs = 200;
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
  readonly #options: Options;
  #end: QueryStopped | undefined;
  #words = '';
  progress: Progress = { readRows: 0, readBytes: 0 };
  readonly exited: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.#child = spawnBehind(options.command, options.folder);
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#words = (this.#words + chunk.toString()).slice(-2000);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    });
    this.#child.stdin.write(`${JSON.stringify(options.task)}\n`);
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

  async #lookAtMemory(): Promise<void> {
    const { memoryBytesMax } = this.#options;
    const bytes = this.#child.pid === undefined ? 0 : ((await privateMemoryOf(this.#child.pid)) ?? 0);
    if (bytes > memoryBytesMax)
      this.#kill(new QueryStopped(memoryExceeded, `The reader held ${bytes} bytes and was ended.`));
  }

  /** Rows as bytes. Leaving the loop ends the process. */
  async *rows(): AsyncIterable<Uint8Array> {
    const { signal, timeoutSeconds } = this.#options;
    const abort = (): void => this.#kill(new QueryStopped(connectionLost, 'The query was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const looking = setInterval(() => void this.#lookAtMemory(), lookMs);
    const late = setTimeout(
      () => this.#kill(new QueryStopped(timeExceeded, 'The reader did not end in time.')),
      (timeoutSeconds + graceSeconds) * 1000,
    );
    try {
      for await (const { kind, body } of this.#frames()) {
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

  async *#frames(): AsyncIterable<{ readonly kind: number; readonly body: Buffer }> {
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
