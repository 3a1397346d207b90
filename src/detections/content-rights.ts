import { type Actor, may, type Operation, type Permission, requirePermission } from '#access';
import { DomainError } from '#platform/errors';
import type { ContentItem, DetectionKind } from './content/content-item.ts';

type Rights = { readonly read: readonly Permission[]; readonly write: readonly Permission[] };

const ofRules: Rights = { read: ['RuleRead'], write: ['RuleModify'] };
const ofQueries: Rights = { read: ['DataAnalyticsRead'], write: ['DataAnalyticsModify'] };

/** Who may read and change content of each kind; any one permission of a list suffices. */
export const contentRights: Readonly<Record<DetectionKind, Rights>> = {
  RULE: ofRules,
  SCHEDULED_RULE: ofRules,
  CORRELATION_RULE: ofRules,
  PACK: ofRules,
  POLICY: { read: ['PolicyRead'], write: ['PolicyModify'] },
  GLOBAL: { read: ['RuleRead', 'PolicyRead'], write: ['RuleModify', 'PolicyModify'] },
  DATAMODEL: { read: ['LogSourceRead'], write: ['LogSourceModify'] },
  SAVED_QUERY: ofQueries,
  SCHEDULED_QUERY: ofQueries,
  LOOKUP_TABLE: { read: ['LookupRead'], write: ['LookupModify'] },
  SCHEDULED_PROMPT: { read: ['ViewScheduledPrompts'], write: ['ManageScheduledPrompts'] },
};

const anyOf = (access: keyof Rights): readonly Permission[] => [
  ...new Set(Object.values(contentRights).flatMap((rights) => rights[access])),
];

/** Permissions with which at least one kind may be read, or changed. */
export const anyRead = anyOf('read');
export const anyWrite = anyOf('write');

export const mayReadKind = (actor: Actor, kind: DetectionKind): boolean =>
  contentRights[kind].read.some((permission) => may(actor, permission));

/** Throws DomainError `forbidden` when the item has code, which sees all events, and the actor may not see them all. */
export function refuseCodeOfLimited(actor: Actor, { body }: Pick<ContentItem, 'body'>): void {
  if (body === '' || actor.logTypeAccess.kind === 'ALLOW_ALL') return;
  throw new DomainError('forbidden', {
    publicMessage: 'Code of content sees every log type: only who may read them all can write it.',
  });
}

/** Throws DomainError `forbidden` unless the actor may do this to content of the kind. */
export function requireKind(actor: Actor, operation: Operation, kind: DetectionKind): void {
  const { read, write } = contentRights[kind];
  requirePermission(actor, { ...operation, permission: operation.kind === 'query' ? read : write });
}
