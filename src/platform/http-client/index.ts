import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, request } from 'undici';
import { DomainError } from '#platform/errors';

type OutboundResponse = { readonly status: number; readonly body: string };

/**
 * Requests to addresses that users typed. The host is resolved once, every address is checked, and the connection goes
 * to the checked address: a name cannot change its mind in between. No redirects, no proxies.
 */
export type OutboundClient = {
  post(
    url: string,
    options: { readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly timeoutMs: number },
  ): Promise<OutboundResponse>;
};

const bodyBytesMax = 64 * 1024;

const refused = (host: string): DomainError =>
  new DomainError('bad_input', {
    field: 'url',
    publicMessage: `"${host}" is not an address that messages may be sent to: it belongs to a private or reserved network. The operator can allow it with MARGAY_OUTBOUND_ALLOW_CIDRS.`,
  });

/** True for public unicast addresses and for those the operator allows. IPv4 inside IPv6 counts as IPv4. */
export function isAllowedAddress(address: string, allowedCidrs: readonly string[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const given = ipaddr.process(address);
  const isAllowed = allowedCidrs.some((cidr) => {
    const [network, bits] = ipaddr.parseCIDR(cidr);
    return network.kind() === given.kind() && given.match(network, bits);
  });
  return isAllowed || given.range() === 'unicast';
}

async function resolveHost(
  host: string,
  allowedCidrs: readonly string[],
): Promise<{ readonly address: string; readonly family: 4 | 6 }> {
  const bare = host.replace(/^\[|\]$/g, '');
  const found = isIP(bare) === 0 ? await lookup(bare, { all: true }) : [{ address: bare, family: isIP(bare) }];
  const bad = found.find(({ address }) => !isAllowedAddress(address, allowedCidrs));
  const first = found[0];
  if (bad !== undefined || first === undefined) throw refused(bare);
  return { address: first.address, family: first.family === 6 ? 6 : 4 };
}

export function createOutboundClient({ allowedCidrs }: { readonly allowedCidrs: readonly string[] }): OutboundClient {
  return {
    async post(url, { headers, body, timeoutMs }) {
      const target = new URL(url);
      const { address, family } = await resolveHost(target.hostname, allowedCidrs);
      const agent = new Agent({
        connect: {
          timeout: timeoutMs,
          lookup: (_host, options, done) =>
            options.all ? done(null, [{ address, family }]) : done(null, address, family),
        },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        maxResponseSize: bodyBytesMax,
      });
      try {
        const response = await request(target, {
          method: 'POST',
          headers: { ...headers },
          body,
          dispatcher: agent,
          signal: AbortSignal.timeout(timeoutMs),
        });
        return { status: response.statusCode, body: await response.body.text() };
      } finally {
        await agent.destroy();
      }
    },
  };
}
