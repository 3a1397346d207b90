import { subscribe } from 'node:diagnostics_channel';
import { type ClientRequest, type IncomingMessage, OutgoingMessage } from 'node:http';
import type { StepObserver } from './journal.ts';

const statementMax = 300;
const idPattern = /[\da-f]{8}[-_]?(?:[\da-f]{4}[-_]?){3}[\da-f]{12}/g;

/** What the statement does with which table, whoever's it is. */
const nameless = (statement: string): string =>
  statement
    .replaceAll(idPattern, '*')
    .replaceAll('`', '')
    .split(/\s*[(\n]|\s+(?:FORMAT|ENGINE|SETTINGS|COMMENT)\b/)[0] ?? '';

type Sends = Record<'write' | 'end', (...args: unknown[]) => unknown>;

/** Keeps the first bytes that each request sends. */
function listenToBodies(): (request: object) => string | undefined {
  const bodies = new WeakMap<object, string>();
  const { write, end } = OutgoingMessage.prototype as unknown as Sends;
  const hear = (message: object, chunk: unknown): void => {
    const known = bodies.get(message) ?? '';
    if (known.length >= statementMax || !(typeof chunk === 'string' || chunk instanceof Uint8Array)) return;
    bodies.set(message, known + Buffer.from(chunk).toString('utf8', 0, statementMax));
  };
  Object.assign(OutgoingMessage.prototype, {
    write(this: object, ...args: unknown[]) {
      hear(this, args[0]);
      return write.apply(this, args);
    },
    end(this: object, ...args: unknown[]) {
      hear(this, args[0]);
      return end.apply(this, args);
    },
  });
  return (request) => bodies.get(request);
}

/** Tells of every statement that changed the lake, and of every message that a receiver has taken. */
export function observeRequests(happened: StepObserver): void {
  const bodyOf = listenToBodies();
  subscribe('http.client.response.finish', (message) => {
    const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage };
    const asked = new URL(request.path, 'http://lake').searchParams.get('query');
    const statement = (asked ?? bodyOf(request) ?? '').trim();
    if (!/^(?:INSERT|CREATE|ALTER|DROP|DELETE|OPTIMIZE|TRUNCATE)\b/i.test(statement)) return;
    response.prependListener('end', () => happened(`the lake has done ${nameless(statement)}`));
  });
  subscribe('undici:request:trailers', (message) => {
    const { request } = message as { readonly request: { readonly method: string } };
    if (request.method === 'POST') happened('a receiver has taken a message');
  });
}
