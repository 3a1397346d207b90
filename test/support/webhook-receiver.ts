import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ReceivedMessage = { readonly headers: IncomingHttpHeaders; readonly body: string };

/** A webhook on loopback. `answer` decides the status of each message; messages are kept in the order they came. */
export async function startReceiver(
  answer: (message: ReceivedMessage, count: number) => number | Promise<number> = () => 200,
) {
  const messages: ReceivedMessage[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = { headers: request.headers, body: Buffer.concat(chunks).toString() };
      messages.push(message);
      void Promise.resolve(answer(message, messages.length)).then((status) =>
        response.writeHead(status).end('thank you'),
      );
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    messages,
    url: `http://127.0.0.1:${port}/hook/secret-path`,
    close: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
}
