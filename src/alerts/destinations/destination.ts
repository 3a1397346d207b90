import type { RoutedDestination } from '../routing/routing.ts';

/** A place alerts are sent to, without its secrets. */
export type Destination = RoutedDestination & {
  readonly kind: 'WEBHOOK';
  /** Scheme, host and port of the URL, since its path may be a secret; empty when it was saved by an older version. */
  readonly endpoint: string;
  readonly headerNames: readonly string[];
  readonly hasSecret: boolean;
  readonly createdAt: Date;
  readonly createdByName: string;
  readonly updatedAt: Date;
};

/** What is encrypted at rest and never leaves the product but in a request to the destination. */
export type WebhookConfiguration = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string | null;
};

/** Under this purpose the configuration of a destination is encrypted. */
export const destinationPurpose = (destinationId: string): string => `destination ${destinationId}`;

/** Reads what was decrypted. Before there were headers, only URL and secret were stored. */
export function parseConfiguration(text: string): WebhookConfiguration {
  const { url, headers, secret } = JSON.parse(text) as Partial<WebhookConfiguration>;
  if (url === undefined) throw new Error('A destination is stored without a URL.');
  return { url, headers: headers ?? {}, secret: secret ?? null };
}
