import type { z } from 'zod';
import { badInput, DomainError } from '#platform/errors';
import type { Actor } from './actor.ts';
import { type Operation, permissionsFor } from './operation.ts';
import { type Permission, permissionTitles } from './permission.ts';
import { refuseUnstorable } from './storable.ts';

/** Whether the actor holds this permission, or one that implies it. */
export function may(actor: Actor, permission: Permission): boolean {
  return actor.permissions.has(permission);
}

/** Throws DomainError `forbidden` unless the actor holds one of the permissions the operation asks for. */
export function requirePermission(actor: Actor, operation: Operation): void {
  const wanted = permissionsFor(operation);
  if (wanted.length === 0 || wanted.some((permission) => may(actor, permission))) return;
  const titles = wanted.map((permission) => `${permission} ("${permissionTitles[permission]}")`).join(' or ');
  throw new DomainError('forbidden', {
    publicMessage: `"${operation.name}" needs the permission ${titles}, which ${actor.kind === 'user' ? `the role ${actor.roleName}` : 'this token'} does not have.`,
    detail: { operation: operation.name, actorId: actor.id },
  });
}

/**
 * Parses with the message of the first problem; the field is named as the caller wrote it. Texts that no store can hold
 * are a problem too.
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (result.success) {
    refuseUnstorable(result.data);
    return result.data;
  }
  const issue = result.error.issues[0];
  const field = issue?.path.map(String).join('.') || 'input';
  throw badInput(field, `${field}: ${issue?.message ?? 'is not valid'}`);
}

/**
 * First line of every public method of a service: checks the permission, then the input.
 * Throws DomainError `forbidden`, or `bad_input` naming the field. Returns the parsed input.
 */
export function admit<Input extends z.ZodType>(
  actor: Actor,
  operation: Operation<Input>,
  input: unknown,
): z.output<Input> {
  requirePermission(actor, operation);
  return parseInput(operation.input, input);
}

/** Answers an operation that is owed: the permission is checked as if it were there. */
export function refuseOwed(actor: Actor, operation: Operation): never {
  requirePermission(actor, operation);
  throw new DomainError('not_available', {
    publicMessage: `"${operation.name}" is not available yet: this version has no ${operation.owedTo ?? 'such part'}.`,
  });
}
