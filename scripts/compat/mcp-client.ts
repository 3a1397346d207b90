import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

type Answer = { readonly result?: unknown; readonly error?: { readonly message: string } };

/** A conversation with an MCP server over its standard streams, one JSON-RPC message a line. */
export class McpClient {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(file: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(file, [], {
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('The server has no output.');
    createInterface({ input: stdout }).on('line', (line) => {
      const message = JSON.parse(line) as Answer & { readonly id?: number };
      if (message.id === undefined) return;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    });
    this.#child.once('exit', () => {
      for (const settle of this.#waiting.values()) settle({ error: { message: 'the server ended' } });
    });
  }

  #send(message: Readonly<Record<string, unknown>>): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** Calls a method. Throws with the message of an error. */
  async call(method: string, params: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = (this.#lastId += 1);
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, method, params });
    });
    if (answer.error) throw new Error(answer.error.message);
    return answer.result;
  }

  /** Says who asks; the first thing in a conversation. */
  async open(): Promise<void> {
    const clientInfo = { name: 'compat', version: '1' };
    await this.call('initialize', { protocolVersion: '2025-03-26', capabilities: {}, clientInfo });
    this.#send({ method: 'notifications/initialized' });
  }

  close(): void {
    this.#child.kill();
  }
}
