import { createServer } from 'node:http';

export type Receiver = {
  readonly url: string;
  /** Idempotency keys that were seen, by alert. */
  readonly keys: ReadonlyMap<string, ReadonlySet<string>>;
  /** When an alert with this title first arrived, by the monotonic clock. */
  readonly arrivedAtMs: ReadonlyMap<string, number>;
  /** Deliveries that were taken. */
  count(): number;
  close(): void;
};

type Options = { readonly random: () => number; readonly refusedShare: number };

/** Takes deliveries over HTTP and refuses a share of them, so that repetitions are part of the run. */
export async function startReceiver({ random, refusedShare }: Options): Promise<Receiver> {
  const keys = new Map<string, Set<string>>();
  const arrivedAtMs = new Map<string, number>();
  let count = 0;
  const take = (body: string, key: string): void => {
    const { alertId, title } = JSON.parse(body) as { readonly alertId: string; readonly title: string };
    count += 1;
    keys.set(alertId, (keys.get(alertId) ?? new Set()).add(key));
    const plain = title.slice(title.indexOf(': ') + 2);
    if (!arrivedAtMs.has(plain)) arrivedAtMs.set(plain, performance.now());
  };
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (random() < refusedShare) return void response.writeHead(503).end();
      take(body, String(request.headers['idempotency-key']));
      return void response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    keys,
    arrivedAtMs,
    count: () => count,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
