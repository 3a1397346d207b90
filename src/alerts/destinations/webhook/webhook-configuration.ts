import { badInput } from '#platform/errors';
import { type AddressGuard, objectionToUrl } from '#platform/http-client';
import type { WebhookConfiguration } from '../destination.ts';
import type { HeadersInput, UpdateWebhookInput } from '../destination-operations.ts';

/** Scheme, host and port: what may be shown of a URL. */
export const endpointOf = (url: string): string => new URL(url).origin;

/** The URL as it will be called. Throws when the deployment would refuse to call it. */
export function checkedUrl(url: string, guard: AddressGuard): string {
  const objection = objectionToUrl(url, guard);
  if (objection !== undefined) throw badInput('url', `url: ${objection}`);
  return new URL(url).href;
}

/** Headers with their values. A header without a value keeps the stored one of the same name. */
export function mergeHeaders(
  given: HeadersInput,
  stored: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const storedByName = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.fromEntries(
    given.map(({ name, value }) => {
      const kept = value || storedByName.get(name.toLowerCase());
      if (kept === undefined) throw badInput('headers', `headers: "${name}" has no value`);
      return [name, kept];
    }),
  );
}

/**
 * The configuration after an update. Secrets were given for one receiver: when the URL moves to another origin, each of
 * them must be given again or dropped, so that nobody can send stored secrets to a place of their own.
 */
export function updatedConfiguration(
  before: WebhookConfiguration,
  { url, headers, secret, removeSecret }: UpdateWebhookInput,
  guard: AddressGuard,
): WebhookConfiguration {
  const newUrl = url ? checkedUrl(url, guard) : before.url;
  const hasMoved = endpointOf(newUrl) !== endpointOf(before.url);
  if (hasMoved && before.secret !== null && !secret && removeSecret !== true)
    throw badInput('secret', 'secret: must be given again or removed, because the URL has another host');
  if (hasMoved && !headers && Object.keys(before.headers).length > 0)
    throw badInput('headers', 'headers: must be given again with their values, because the URL has another host');
  const keptSecret = removeSecret === true ? null : before.secret;
  return {
    url: newUrl,
    headers: headers ? mergeHeaders(headers, hasMoved ? {} : before.headers) : before.headers,
    secret: secret ?? keptSecret,
  };
}
