import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { lowerSession } from '#platform/priority';
import { processorTimeOf, spawnBehind, type Walls } from '#platform/walls';
import { frameKinds } from './host/frames.ts';

/** A sandbox ended or was ended before it answered. `progress` is the last rule and record it was at, when traced. */
export class SandboxFailure extends Error {
  override readonly name = 'SandboxFailure';
  /** `flood`: the answer is larger than the parent takes; with fewer records it might not be. */
  readonly kind: 'timeout' | 'crash' | 'protocol' | 'flood';
  readonly progress: { readonly rule: number; readonly record: number } | undefined;

  constructor(kind: SandboxFailure['kind'], message: string, progress: SandboxFailure['progress']) {
    super(message);
    this.kind = kind;
    this.progress = progress;
  }
}

const answerBytesMax = 64 * 1024 * 1024;
/** A snapshot is the whole heap, whose ceiling is 512 MiB; one larger than this is not worth keeping. */
const snapshotBytesMax = 192 * 1024 * 1024;
const questionBytesMax = 64 * 1024;
const questionsMax = 20_000;
/** A start takes seconds; on a machine with other work it has taken more than a minute. */
const startTimeoutMs = 120_000;
/** How many times its limit a guest may take by the clock while it has not used that much of a processor. */
const patience = 5;
/** Rules are what costs most: below the short steps that bring a single event on its way. */
const niceness = 5;
/** The same for its session, milder: that counts against everything on the machine, not only our own. */
const sessionBelow = 2;
const noBytes = Buffer.alloc(0);

/** How a waiting process becomes an interpreter. */
export type SandboxImage =
  | { readonly kind: 'cold' }
  | { readonly kind: 'generic' }
  | { readonly kind: 'snapshot'; readonly bytes: Uint8Array };

/** Answers what a guest asks in the middle of a request. Undefined refuses, and ends the guest. */
type Oracle = (question: Buffer) => Promise<Buffer | undefined>;

type Limit = {
  readonly timeoutMs: number;
  /** The time begins anew at each sign of progress. */
  readonly stallMs?: number | undefined;
  readonly oracle?: Oracle | undefined;
};

type Pending = Limit & {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (failure: SandboxFailure) => void;
  readonly bytesMax: number;
  questions: number;
};

/**
 * One interpreter process behind the walls, serving one request at a time. It waits until `start` tells it what to become.
 */
export class SandboxProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #buffer: Buffer[] = [];
  #buffered = 0;
  #pending: Pending | undefined;
  #progress: SandboxFailure['progress'];
  #timer: NodeJS.Timeout | undefined;
  #deadline = 0;
  /** When it last said which rule it is at. */
  #movedAt = 0;
  #errorText = '';
  isAlive = true;
  /** The process can be told to start. */
  readonly ready: Promise<void>;
  readonly exited: Promise<void>;

  constructor(walls: Walls, bundle: string) {
    const inside = walls.bundleInside;
    const innerWall = ['--permission', `--allow-fs-read=${inside}/`, '--disallow-code-generation-from-strings'];
    const flags = [...innerWall, '--disable-warning=SecurityWarning', '--expose-gc'];
    const program = [walls.nodeInside, ...flags, path.posix.join(inside, 'main.ts')];
    const { file, args, ...rest } = walls.wrap(program);
    this.#child = spawnBehind({ ...rest, file: 'nice', args: ['-n', String(niceness), file, ...args] }, bundle);
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
    this.ready = this.#expect({ timeoutMs: startTimeoutMs }).then(() => undefined);
    // The wall begins a session of its own, so it is there only now.
    void this.ready.then(
      () => lowerSession(this.pid, sessionBelow),
      () => undefined,
    );
    // Whoever uses the process awaits `ready`; a spare that dies unused is no unhandled rejection.
    this.ready.catch(() => undefined);
  }

  /** Process that was spawned: the wall's tool; the interpreter is below it. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Where it was last, when it says. */
  get progress(): SandboxFailure['progress'] {
    return this.#progress;
  }

  /** Makes the interpreter. A snapshot that does not fit this build ends the process. */
  async start(image: SandboxImage): Promise<void> {
    await this.ready;
    const bytes = image.kind === 'snapshot' ? image.bytes : noBytes;
    await this.request({ kind: `start-${image.kind}` }, bytes, { timeoutMs: startTimeoutMs });
  }

  /** The memory of the interpreter as it is now. */
  async snapshot(): Promise<Buffer> {
    return this.request({ kind: 'snapshot' }, noBytes, { timeoutMs: startTimeoutMs }, snapshotBytesMax);
  }

  /** Sends a request and waits for its answer. */
  async request(header: object, body: Uint8Array, limit: Limit, bytesMax = answerBytesMax): Promise<Buffer> {
    if (!this.isAlive) throw new SandboxFailure('crash', 'The interpreter has ended.', undefined);
    this.#progress = undefined;
    const answer = this.#expect(limit, bytesMax);
    this.#send(header, body);
    return answer;
  }

  /** Ends the process and all it may have started. */
  kill(): void {
    this.#end('crash', 'The interpreter was stopped.');
  }

  #send(header: object, body: Uint8Array): void {
    const head = Buffer.from(JSON.stringify(header));
    const lengths = Buffer.allocUnsafe(8);
    lengths.writeUInt32LE(head.length, 0);
    lengths.writeUInt32LE(body.length, 4);
    this.#child.stdin.write(Buffer.concat([lengths, head]));
    this.#child.stdin.write(body);
  }

  #expect(limit: Limit, bytesMax = answerBytesMax): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#pending = { ...limit, resolve, reject, bytesMax, questions: 0 };
      this.#arm(limit.stallMs ?? limit.timeoutMs);
    });
  }

  #arm(milliseconds: number): void {
    clearTimeout(this.#timer);
    const startedAt = performance.now();
    const usedBefore = this.#usedMs();
    this.#deadline = startedAt + milliseconds;
    const expire = (): void => {
      const idleMs = performance.now() - this.#movedAt;
      const { stallMs = 0 } = this.#pending ?? {};
      if (this.#movedAt > startedAt && idleMs < stallMs) return this.#arm(stallMs - idleMs);
      // On a busy host a rule may hardly have run when its time is over; it then has until it has used that time.
      const usedNow = this.#usedMs();
      // A process that was measured and no longer can be is about to be gone, which is told by its exit.
      const used = Number.isNaN(usedNow) && !Number.isNaN(usedBefore) ? 0 : usedNow - usedBefore;
      const waited = performance.now() - startedAt;
      const isStarved = used >= 0 && used < milliseconds * 0.75 && waited < milliseconds * patience;
      if (!isStarved)
        return this.#end('timeout', `No answer within ${this.#pending?.stallMs ?? this.#pending?.timeoutMs} ms.`);
      this.#timer = setTimeout(expire, Math.max(50, milliseconds - used));
      return undefined;
    };
    this.#timer = setTimeout(expire, milliseconds);
  }

  /** Processor time so far, or not a number. */
  #usedMs(): number {
    return (this.pid === undefined ? undefined : processorTimeOf(this.pid)) ?? Number.NaN;
  }

  #end(kind: SandboxFailure['kind'], message: string): void {
    clearTimeout(this.#timer);
    if (this.isAlive) {
      this.isAlive = false;
      this.#child.stdin.destroy();
      this.#child.stdout.destroy();
      try {
        // The group holds the wall's tool; what is behind the wall dies with it.
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
      const bytesMax = this.#pending?.bytesMax ?? 0;
      if (length > bytesMax) return this.#end('flood', `The interpreter answered with more than ${bytesMax} bytes.`);
      if (this.#buffered < 5 + length) return undefined;
      const whole = this.#buffer.length === 1 ? head : Buffer.concat(this.#buffer);
      this.#buffer = whole.length === 5 + length ? [] : [whole.subarray(5 + length)];
      this.#buffered = whole.length - 5 - length;
      this.#frame(whole[0] ?? 0, whole.subarray(5, 5 + length));
    }
    return undefined;
  }

  #frame(kind: number, body: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined) return this.#end('protocol', 'The interpreter spoke without being asked.');
    if (kind === frameKinds.progress && body.length === 8) {
      this.#progress = { rule: body.readUInt32LE(0), record: body.readUInt32LE(4) };
      this.#movedAt = performance.now();
      return;
    }
    if (kind === frameKinds.question && body.length <= questionBytesMax) {
      void this.#answerQuestion(pending, body);
      return;
    }
    if (kind !== frameKinds.answer && kind !== frameKinds.ready)
      return this.#end('protocol', 'The interpreter sent a malformed frame.');
    clearTimeout(this.#timer);
    this.#pending = undefined;
    pending.resolve(body);
    return undefined;
  }

  /** The time of the guest stands still while the parent looks something up. */
  async #answerQuestion(pending: Pending, question: Buffer): Promise<void> {
    clearTimeout(this.#timer);
    const leftMs = Math.max(1, this.#deadline - performance.now());
    pending.questions += 1;
    if (pending.oracle === undefined || pending.questions > questionsMax)
      return this.#end('protocol', 'The interpreter asked what it may not ask.');
    try {
      const reply = await pending.oracle(question);
      if (this.#pending !== pending) return undefined;
      if (reply === undefined) return this.#end('protocol', 'The interpreter asked out of form.');
      this.#arm(leftMs);
      this.#send({ kind: 'reply' }, reply);
    } catch (error) {
      // A store that does not answer is not the rule's fault: whoever waits sees the store's own error.
      if (this.#pending !== pending) return undefined;
      this.#pending = undefined;
      pending.reject(error as SandboxFailure);
      this.kill();
    }
    return undefined;
  }
}
