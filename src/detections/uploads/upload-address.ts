import { z } from 'zod';
import type { Actor } from '#access';
import { DomainError } from '#platform/errors';
import { isUuid } from '#platform/ids';
import type { TenantTx } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import { findUpload, type StoredUpload } from './upload-store.ts';
import { zipLimits } from './zip.ts';

/** What the query string of an upload address says: the place, and the signature over what may be put there. */
export type UploadAddress = { readonly tenantId: string; readonly sessionId: string; readonly signature: string };

/** What was promised when the address was made. */
export type UploadGrant = {
  readonly tenantId: string;
  readonly sessionId: string;
  /** Who asked for the address. */
  readonly actor: StoredUpload['actor'];
  /** Bytes of the body, which may be base64. */
  readonly bytesMax: number;
};

const addressMinutes = 15;
/** The archive in base64, with room for line ends. */
const putBytesMax = Math.ceil((zipLimits.archiveBytes * 4) / 3 + zipLimits.archiveBytes / 20);

const terms = z.strictObject({ actorId: z.string(), bytesMax: z.int().positive(), expiresAt: z.iso.datetime() });

/** The tenant's key is bound to the tenant, the purpose to the session: neither can be changed in the address. */
const purposeOf = (sessionId: string): string => `upload address ${sessionId}`;

const notValid = (): DomainError =>
  new DomainError('unauthenticated', {
    publicMessage: 'This is not an upload address of this deployment. Ask bulkUploadPresignedUrl for one.',
  });

/** Path and query string of a session's address. */
export async function signAddress(
  tx: TenantTx,
  secrets: Pick<Secrets, 'encrypt'>,
  { sessionId, actor, now }: { readonly sessionId: string; readonly actor: Pick<Actor, 'id'>; readonly now: Date },
): Promise<string> {
  const expiresAt = new Date(now.getTime() + addressMinutes * 60_000).toISOString();
  const text = JSON.stringify({ actorId: actor.id, bytesMax: putBytesMax, expiresAt } satisfies z.input<typeof terms>);
  const signature = (await secrets.encrypt(tx, purposeOf(sessionId), text)).toString('base64url');
  return `/uploads/${tx.tenantId}/${sessionId}?signature=${signature}`;
}

async function termsOf(
  tx: TenantTx,
  secrets: Pick<Secrets, 'decrypt'>,
  { sessionId, signature }: UploadAddress,
): Promise<z.output<typeof terms>> {
  let text: string;
  try {
    text = await secrets.decrypt(tx, purposeOf(sessionId), Buffer.from(signature, 'base64url'));
  } catch (error) {
    if (error instanceof DomainError && error.code !== 'not_found') throw error;
    throw notValid();
  }
  return terms.parse(JSON.parse(text));
}

/** Throws `unauthenticated` for what was not signed here, `forbidden` when it is too late, `conflict` when it was used. */
export async function openAddress(
  tx: TenantTx,
  secrets: Pick<Secrets, 'decrypt'>,
  address: UploadAddress,
  now: Date,
): Promise<UploadGrant> {
  const { tenantId, sessionId } = address;
  const session = isUuid(sessionId) ? await findUpload(tx, sessionId, ['SESSION']) : undefined;
  if (session === undefined) throw notValid();
  const { actorId, bytesMax, expiresAt } = await termsOf(tx, secrets, address);
  if (actorId !== session.actor.id) throw notValid();
  if (new Date(expiresAt) <= now)
    throw new DomainError('forbidden', {
      publicMessage: `This upload address was good for ${addressMinutes} minutes. Ask bulkUploadPresignedUrl for a new one.`,
    });
  if (session.status !== 'NOT_PROCESSED') throw alreadyUsed();
  return { tenantId, sessionId, actor: session.actor, bytesMax };
}

export const alreadyUsed = (): DomainError =>
  new DomainError('conflict', {
    publicMessage:
      'Something was put at this upload address already. Ask bulkUploadPresignedUrl for a new one to put something else.',
  });
