import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard.ts';

const lengthMax = 2048;

/** The host without the brackets of IPv6. Decimal, octal and hexadecimal IPv4 were normalised by the URL parser. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

const portOf = (url: URL): number => Number(url.port || (url.protocol === 'https:' ? 443 : 80));

/** Ports below 1024 belong to other protocols, to which a POST could speak by accident. */
const isWebPort = (port: number): boolean => port === 443 || port >= 1024;

/**
 * Why a URL given by a tenant may not be called, or undefined when it may. Names are not resolved here: that happens at
 * each request, together with the connection. The URL itself is not part of the text, since it may hold a secret.
 */
export function objectionToUrl(text: string, guard: AddressGuard): string | undefined {
  if (text.length > lengthMax) return `is longer than ${lengthMax} characters`;
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password; use a header';
  const host = hostOf(url);
  const verdict = isIP(host) === 0 ? undefined : guard.judge(host);
  if (verdict === 'refused') return 'points into a private or reserved address range, which this deployment refuses';
  const mayBePrivate = verdict === 'allowed' || (verdict === undefined && guard.allowsPrivate);
  if (url.protocol === 'http:' && !mayBePrivate) return 'must begin with https://';
  if (!isWebPort(portOf(url)) && !mayBePrivate) return 'must use port 443 or a port from 1024 on';
  return undefined;
}

/** The same rules once the addresses are known: what is only for allowed addresses must not reach public ones. */
export function objectionToAddresses(url: URL, addresses: readonly string[], guard: AddressGuard): string | undefined {
  const verdicts = addresses.map((address) => guard.judge(address));
  if (verdicts.includes('refused'))
    return 'The name leads into a private or reserved address range, which this deployment refuses.';
  if (verdicts.every((verdict) => verdict === 'allowed')) return undefined;
  if (url.protocol !== 'https:') return 'Public addresses are reached by https only.';
  return isWebPort(portOf(url)) ? undefined : 'Public addresses are reached on port 443 or from 1024 on.';
}
