import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { spawnBehind, type Walls } from './walls/walls.ts';

/** A sandbox ended or was ended before it answered. `progress` is the last rule and record it was at, when traced. */
export class SandboxFailure extends Error {
  override readonly name = 'SandboxFailure';
  readonly kind: 'timeout' | 'crash' | 'protocol';
  readonly progress: { readonly rule: number; readonly record: number } | undefined;

  constructor(kind: SandboxFailure['kind'], message: string, progress: SandboxFailure['progress']) {
    super(message);
    this.kind = kind;
    this.progress = progress;
  }
}

const answerBytesMax = 64 * 1024 * 1024;
/** A start is our own work and no rule is near: it is only ended when it hangs, not when the machine is busy. */
const startTimeoutMs = 120_000;

type Pending = { readonly resolve: (answer: Buffer) => void; readonly reject: (failure: SandboxFailure) => void };

/** One interpreter process behind the walls, serving one request at a time. */
export class SandboxProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #buffer: Buffer[] = [];
  #buffered = 0;
  #pending: Pending | undefined;
  #progress: SandboxFailure['progress'];
  #timer: NodeJS.Timeout | undefined;
  #stallMs = 0;
  #errorText = '';
  isAlive = true;
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;

  constructor(walls: Walls, bundle: string) {
    const inside = walls.bundleInside;
    const innerWall = ['--permission', `--allow-fs-read=${inside}/`, '--disable-warning=SecurityWarning'];
    const program = [walls.nodeInside, ...innerWall, path.posix.join(inside, 'main.ts')];
    this.#child = spawnBehind(walls.wrap(program), bundle);
    this.#child.stdin.on('error', () => undefined);
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.stderr.on('data', (chunk: Buffer) => {
      this.#errorText = (this.#errorText + chunk.toString()).slice(-2000);
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('exit', () => resolve());
    });
    void this.exited.then(() => this.#end('crash', `The interpreter ended. ${this.#errorText}`.trim()));
    this.ready = this.#expect(startTimeoutMs).then(() => undefined);
    // Whoever uses the process awaits `ready`; a spare that dies unused is no unhandled rejection.
    this.ready.catch(() => undefined);
  }

  /** Sends a request and waits for its answer. With `stallMs`, the time begins anew at each sign of progress. */
  async request(
    header: object,
    body: Uint8Array,
    limit: { readonly timeoutMs: number; readonly stallMs?: number },
  ): Promise<Buffer> {
    if (!this.isAlive) throw new SandboxFailure('crash', 'The interpreter has ended.', undefined);
    const head = Buffer.from(JSON.stringify(header));
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32LE(head.length, 0);
    lengths.writeUInt32LE(body.length, 4);
    this.#progress = undefined;
    const answer = this.#expect(limit.timeoutMs, limit.stallMs);
    this.#child.stdin.write(lengths);
    this.#child.stdin.write(head);
    this.#child.stdin.write(body);
    return answer;
  }

  /** Ends the process and all it may have started. */
  kill(): void {
    this.#end('crash', 'The interpreter was stopped.');
  }

  #expect(timeoutMs: number, stallMs?: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#stallMs = stallMs ?? 0;
      this.#arm(stallMs ?? timeoutMs);
    });
  }

  #arm(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end('timeout', `No answer within ${milliseconds} ms.`), milliseconds);
  }

  #end(kind: SandboxFailure['kind'], message: string): void {
    clearTimeout(this.#timer);
    if (this.isAlive) {
      this.isAlive = false;
      this.#child.stdin.destroy();
      this.#child.stdout.destroy();
      try {
        // The group holds unshare, its child and the interpreter.
        if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
      } catch {
        // Already gone.
      }
    }
    this.#buffer = [];
    this.#pending?.reject(new SandboxFailure(kind, message, this.#progress));
    this.#pending = undefined;
  }

  #receive(chunk: Buffer): void {
    this.#buffer.push(chunk);
    this.#buffered += chunk.length;
    while (this.isAlive && this.#buffered >= 5) {
      const first = this.#buffer[0];
      if (first === undefined || first.length < 5) this.#buffer = [Buffer.concat(this.#buffer)];
      const head = this.#buffer[0] ?? Buffer.alloc(0);
      const length = head.readUInt32LE(1);
      if (length > answerBytesMax)
        return this.#end('protocol', `The interpreter answered with more than ${answerBytesMax} bytes.`);
      if (this.#buffered < 5 + length) return undefined;
      const whole = this.#buffer.length === 1 ? head : Buffer.concat(this.#buffer);
      this.#buffer = whole.length === 5 + length ? [] : [whole.subarray(5 + length)];
      this.#buffered = whole.length - 5 - length;
      this.#frame(whole[0] ?? 0, whole.subarray(5, 5 + length));
    }
    return undefined;
  }

  #frame(kind: number, body: Buffer): void {
    if (kind === 2 && body.length === 8) {
      this.#progress = { rule: body.readUInt32LE(0), record: body.readUInt32LE(4) };
      if (this.#stallMs > 0) this.#arm(this.#stallMs);
      return;
    }
    if (kind !== 1 && kind !== 3) return this.#end('protocol', 'The interpreter sent a malformed frame.');
    clearTimeout(this.#timer);
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(body);
    return undefined;
  }
}
