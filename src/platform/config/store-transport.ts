/** Addresses of stores as they were configured. */
type StoreUrls = {
  readonly DATABASE_URL?: string | undefined;
  readonly DATABASE_OWNER_URL?: string | undefined;
  readonly REDIS_URL?: string | undefined;
  readonly CLICKHOUSE_URL?: string | undefined;
  readonly S3_ENDPOINT?: string | undefined;
};

/** Whether the host, as a setting or URL writes it, is this machine; the empty host of a socket path is as well. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === '' || bare === 'localhost' || bare === '::1' || /^127\.\d+\.\d+\.\d+$/.test(bare);
}

/** The driver checks the server's certificate in each of these modes. */
const checkedModes = new Set(['require', 'verify-ca', 'verify-full']);

/** What to write instead, or undefined when the connection is encrypted. */
function betterUrl(url: URL): string | undefined {
  switch (url.protocol) {
    case 'postgres:':
    case 'postgresql:':
      return checkedModes.has(url.searchParams.get('sslmode') ?? '') ? undefined : 'add "sslmode=verify-full" to it';
    case 'redis:':
      return 'begin it with rediss://';
    case 'http:':
      return 'begin it with https://';
    default:
      return undefined;
  }
}

/** One sentence for each store on another machine that would be reached without TLS. */
export function plaintextStores(urls: StoreUrls): readonly string[] {
  const names = ['DATABASE_URL', 'DATABASE_OWNER_URL', 'REDIS_URL', 'CLICKHOUSE_URL', 'S3_ENDPOINT'] as const;
  return names.flatMap((name) => {
    const text = urls[name];
    if (text === undefined) return [];
    const url = new URL(text);
    const better = isLoopback(url.hostname) ? undefined : betterUrl(url);
    if (better === undefined) return [];
    return [
      `${name}: "${url.hostname}" is another machine and would be reached without TLS; ${better}, or set MARGAY_ALLOW_PLAINTEXT_STORES=true if the network between is private.`,
    ];
  });
}
