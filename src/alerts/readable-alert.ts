import { type Actor, mayReadLogType } from '#access';
import { notFound } from '#platform/errors';
import type { TenantReader } from '#platform/postgres';
import type { Alert, AlertId } from './alert.ts';
import { findAlert } from './alert-store.ts';

/** An alert is read by who may read all its log types: its events are of all of them. */
export const isReadable = (actor: Actor, { logTypes }: Pick<Alert, 'logTypes'>): boolean =>
  logTypes.every((logType) => mayReadLogType(actor.logTypeAccess, logType));

/** The alert, or `not_found` in the same words when it is not the actor's to read. */
export async function getReadable(tx: TenantReader, actor: Actor, id: AlertId): Promise<Alert> {
  const found = await findAlert(tx, id);
  if (found === undefined || !isReadable(actor, found)) throw notFound('alert', id);
  return found;
}

/** Text as Postgres can store it. */
export const cleanText = (text: string): string => text.replaceAll('\0', '').toWellFormed();
