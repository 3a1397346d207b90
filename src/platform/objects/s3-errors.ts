import { S3ServiceException } from '@aws-sdk/client-s3';
import { DomainError } from '#platform/errors';

/** What the operator must mend before any request of this kind can work. */
const remedies: Readonly<Record<string, string>> = {
  NoSuchBucket: 'The bucket does not exist. Create it, or correct S3_BUCKET.',
  AccessDenied: 'The credentials may not do this. Allow them to get, put, delete and list objects of the bucket.',
  InvalidAccessKeyId: 'The access key is not known. Correct MARGAY_S3_ACCESS_KEY_ID.',
  SignatureDoesNotMatch: 'The secret key does not fit the access key. Correct MARGAY_S3_SECRET_ACCESS_KEY.',
  PermanentRedirect: 'The bucket is in another region. Correct MARGAY_S3_REGION.',
  CredentialsProviderError: 'There are no credentials. Set MARGAY_S3_ACCESS_KEY_ID and MARGAY_S3_SECRET_ACCESS_KEY.',
};

export const statusOf = (error: unknown): number =>
  error instanceof S3ServiceException ? (error.$metadata.httpStatusCode ?? 0) : 0;

/** No such object; a missing bucket is another matter. */
export const isMissing = (error: unknown): boolean =>
  error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');

/** The condition of a conditional put did not hold: the object is there. */
export const isThere = (error: unknown): boolean => statusOf(error) === 412;

/** Another conditional put of the key is under way; nobody knows yet who wins. */
export const isContested = (error: unknown): boolean => statusOf(error) === 409;

/**
 * A failure in the product's terms. Whatever the cause (an outage, a wrong key, a missing bucket), it is not the fault
 * of the work at hand, which is worth trying again once the store answers.
 */
export function objectStoreError(action: string, key: string, error: unknown): DomainError {
  const name = error instanceof Error ? error.name : '';
  const remedy = remedies[name];
  return new DomainError('unavailable', {
    publicMessage: `The object store did not ${action}. ${remedy ?? 'Try again in a moment.'}`,
    detail: { action, key, reason: name, status: statusOf(error) },
    retryable: true,
    retryAfterSeconds: 5,
    cause: error,
  });
}
