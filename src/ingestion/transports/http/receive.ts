import { DomainError } from '#platform/errors';
import { isUuid } from '#platform/ids';
import type { Database } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import type { Acknowledgement, Intake } from '../../batches/intake.ts';
import { sourceSecretPurpose } from '../../sources/source-service.ts';
import { findSourceAnywhere, type StoredSource } from '../../sources/source-store.ts';
import { type BodyLimits, inspectBody } from '../../streams/body.ts';
import { isFromSender } from './authenticate-sender.ts';

type Delivery = {
  readonly sourceId: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As it came over the wire. */
  readonly body: Buffer;
  readonly traceId: string;
};

/** Takes one POST of a sender. Throws `not_found`, `unauthenticated`, `bad_input`, `too_large`, `rate_limited` or `unavailable`. */
export type HttpReceiver = { receive(delivery: Delivery): Promise<Acknowledgement> };

type Deps = {
  readonly database: Database;
  readonly secrets: Secrets;
  readonly intake: Pick<Intake, 'accept'>;
  readonly limits: BodyLimits;
};
type Known = { readonly source: StoredSource; readonly secret: string };

/** A source changes rarely and receives often: what is known of it is reread after this time. */
const cacheMs = 2000;

function headerText(headers: Delivery['headers'], name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function createHttpReceiver({ database, secrets, intake, limits }: Deps): HttpReceiver {
  const cache = new Map<string, { readonly known: Promise<Known | undefined>; readonly readAtMs: number }>();
  const read = async (id: string): Promise<Known | undefined> => {
    const source = await database.withSystem('a source id names its tenant', (tx) => findSourceAnywhere(tx, id));
    if (source === undefined) return undefined;
    const sealed = source.secret;
    const secret =
      sealed === null
        ? ''
        : await database.withTenant(source.tenantId, (tx) => secrets.decrypt(tx, sourceSecretPurpose(id), sealed));
    return { source, secret };
  };
  const find = (id: string): Promise<Known | undefined> => {
    const cached = cache.get(id);
    if (cached !== undefined && performance.now() - cached.readAtMs < cacheMs) return cached.known;
    if (cache.size > 10_000) cache.clear();
    const known = read(id);
    known.catch(() => cache.delete(id));
    cache.set(id, { known, readAtMs: performance.now() });
    return known;
  };
  return {
    async receive({ sourceId, headers, body, traceId }) {
      const known = isUuid(sourceId) ? await find(sourceId) : undefined;
      if (known === undefined)
        throw new DomainError('not_found', {
          publicMessage: 'There is no log source at this address. Check the id in the URL.',
        });
      const { source, secret } = known;
      if (!isFromSender(source.auth, secret, headers, body))
        throw new DomainError('unauthenticated', {
          publicMessage: `The sender could not be verified (${source.auth.method}). Check the secret of this log source.`,
        });
      const contentEncoding = headerText(headers, 'content-encoding');
      await inspectBody(body, contentEncoding, limits);
      const idempotencyKey = headerText(headers, 'idempotency-key')?.slice(0, 255);
      return intake.accept({
        tenantId: source.tenantId,
        sourceId,
        body,
        traceId,
        ...(contentEncoding === undefined ? {} : { contentEncoding }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      });
    },
  };
}
