import { DomainError } from './domain-error.ts';

/** System call errors that speak of the machine or the network, not of the work. */
const systemCodes: ReadonlySet<string> = new Set([
  'EAGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EDQUOT',
  'EHOSTUNREACH',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'ENOTFOUND',
  'EPIPE',
  'EROFS',
  'ETIMEDOUT',
]);

/** SQLSTATE classes: connection, transaction rollback, insufficient resources, object in use, operator intervention, system error. */
const sqlClasses = /^(?:08|40|53|55|57|58)[0-9A-Z]{3}$/;

/** What `pg` says, without a code, when the server goes away. */
const lostConnection = /connection terminated|server closed the connection|timeout exceeded when trying to connect/i;

/**
 * Whether the same work may well succeed later without anybody changing it: a store is away, a disk is full. Work that
 * failed so must not be given up for it.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof DomainError) return error.retryable || isTransient(error.cause);
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    systemCodes.has(code) || sqlClasses.test(code) || lostConnection.test(error.message) || isTransient(error.cause)
  );
}
