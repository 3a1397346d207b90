import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { errorText } from '#platform/errors';
import type { AddressGuard } from './address-guard.ts';
import { hostOf, objectionToAddresses, objectionToUrl } from './outbound-url.ts';

type OutboundRequest = {
  readonly method: 'POST' | 'GET';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Ends the request early, with the outcome `failed`. */
  readonly signal?: AbortSignal;
};

export type OutboundOutcome =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
      /** At most the body ceiling; the rest is not read. */
      readonly body: Buffer;
      /** False when the operator's allow list let the request into a private range. */
      readonly isPublicAddress: boolean;
    }
  /** Never sent, and sending it again would not help. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No answer; trying later may help. `detail` is for the log only: it tells about the network. */
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string };

export type FailureReason = 'name_not_found' | 'timeout' | 'tls' | 'connection';

/** Calls addresses that tenants gave. Redirects are not followed and no proxy setting is read. Never throws. */
export type HttpClient = { send(request: OutboundRequest): Promise<OutboundOutcome> };

type Address = { readonly address: string; readonly family: number };

type Deps = {
  readonly guard: AddressGuard;
  readonly resolve?: (host: string) => Promise<readonly Address[]>;
  readonly limits?: Partial<Limits>;
  /** PEM certificates to trust beside the built-in ones, for receivers inside a company. */
  readonly certificateAuthorities?: readonly string[];
};

type Limits = { readonly connectTimeoutMs: number; readonly totalTimeoutMs: number; readonly responseBytesMax: number };

const defaultLimits: Limits = { connectTimeoutMs: 3000, totalTimeoutMs: 10_000, responseBytesMax: 64 * 1024 };

const resolveName = async (host: string): Promise<readonly Address[]> => lookup(host, { all: true });

/** The connection goes to the addresses that were judged; asking the name again would leave a gap for rebinding. */
const pinned =
  (addresses: readonly Address[]): LookupFunction =>
  (_host, options, callback) => {
    const first = addresses[0];
    if (options.all) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
  };

/** A name server that does not answer must not hold the request; the lookup itself cannot be cancelled. */
async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException('The name was not resolved in time.', 'TimeoutError')), timeoutMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function reasonOf(error: unknown): FailureReason {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const name = error instanceof Error ? error.name : '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name_not_found';
  if (/TIMEOUT/.test(code) || name === 'TimeoutError' || name === 'AbortError') return 'timeout';
  if (/CERT|TLS|SSL|ALTNAME|SELF_SIGNED|UNABLE_TO/.test(code)) return 'tls';
  return 'connection';
}

async function readAtMost(body: AsyncIterable<Buffer> & { destroy(): unknown }, bytesMax: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bytesMax) break;
  }
  body.destroy();
  return Buffer.concat(chunks).subarray(0, bytesMax);
}

/** A connection of its own per request: nothing one tenant opened is used by another. */
async function exchange(
  { method, url, headers, body, signal }: OutboundRequest,
  addresses: readonly Address[],
  limits: Limits,
  certificateAuthorities: readonly string[] | undefined,
) {
  const agent = new Agent({
    connect: {
      lookup: pinned(addresses),
      timeout: limits.connectTimeoutMs,
      ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
    },
    pipelining: 0,
    maxHeaderSize: 16 * 1024,
  });
  const deadline = AbortSignal.timeout(limits.totalTimeoutMs);
  try {
    const response = await request(url, {
      method,
      headers,
      body: body ?? null,
      dispatcher: agent,
      signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    });
    return {
      status: response.statusCode,
      headers: response.headers,
      body: await readAtMost(response.body, limits.responseBytesMax),
    };
  } finally {
    await agent.destroy();
  }
}

/** The one client for addresses outside of the deployment. */
export function createHttpClient({ guard, resolve = resolveName, certificateAuthorities, ...deps }: Deps): HttpClient {
  const limits = { ...defaultLimits, ...deps.limits };
  return {
    async send(outbound) {
      const objection = objectionToUrl(outbound.url, guard);
      if (objection !== undefined) return { kind: 'refused', reason: `The URL ${objection}.` };
      const url = new URL(outbound.url);
      const host = hostOf(url);
      const family = isIP(host);
      try {
        const addresses =
          family === 0 ? await inTime(resolve(host), limits.connectTimeoutMs) : [{ address: host, family }];
        if (addresses.length === 0) return { kind: 'failed', reason: 'name_not_found', detail: 'no addresses' };
        const texts = addresses.map((item) => item.address);
        const refusal = objectionToAddresses(url, texts, guard);
        if (refusal !== undefined) return { kind: 'refused', reason: refusal };
        const response = await exchange(outbound, addresses, limits, certificateAuthorities);
        const isPublicAddress = texts.every((text) => guard.judge(text) === 'public');
        return { kind: 'response', ...response, isPublicAddress };
      } catch (error) {
        return { kind: 'failed', reason: reasonOf(error), detail: errorText(error) };
      }
    },
  };
}
