import { z } from 'zod';
import type { Permission } from './permission.ts';

/**
 * A public operation, defined once. GraphQL, REST, the command line, the permission matrix, the audit coverage and
 * the reference pages read it from here.
 */
export type Operation<Input extends z.ZodType = z.ZodType> = {
  /** Name of the GraphQL field, e.g. `updateAlertStatusById`. */
  readonly name: string;
  readonly kind: 'query' | 'mutation';
  readonly summary: string;
  /** Any one of these suffices; `'signed-in'` asks for no permission, `'public'` not even for a signed-in caller. */
  readonly permission: Permission | readonly Permission[] | 'signed-in' | 'public';
  /** Action name of the audit row that a mutation writes; queries write none. */
  readonly audit: string | undefined;
  /** The part of the product, not built yet, that owes this operation; it answers `not_available` until then. */
  readonly owedTo?: string;
  readonly input: Input;
};

/** Permissions of which any one suffices; none when no permission is asked for. */
export function permissionsFor({ permission }: Pick<Operation, 'permission'>): readonly Permission[] {
  if (permission === 'public' || permission === 'signed-in') return [];
  return typeof permission === 'string' ? [permission] : permission;
}

type Definition<Input extends z.ZodType> = Omit<Operation<Input>, 'audit' | 'kind' | 'owedTo'>;

export function defineQuery<Input extends z.ZodType>(definition: Definition<Input>): Operation<Input> {
  return { ...definition, kind: 'query', audit: undefined };
}

/** A mutation names its audit action (VERB_OBJECT), so none can be forgotten. */
export function defineMutation<Input extends z.ZodType>(
  definition: Definition<Input> & { readonly audit: string },
): Operation<Input> {
  return { ...definition, kind: 'mutation' };
}

/** An operation that clients know and a part of the product not built yet will answer. Its permission holds already. */
export function defineOwed(owed: {
  readonly name: string;
  readonly kind: Operation['kind'];
  readonly permission: Operation['permission'];
  readonly owedTo: string;
}): Operation {
  const audit = owed.kind === 'query' ? undefined : owed.name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  return { ...owed, audit, summary: `Not available yet: ${owed.owedTo}.`, input: z.unknown() };
}

/** All operations by name; throws when two have the same name. */
export function operationCatalogue(operations: readonly Operation[]): ReadonlyMap<string, Operation> {
  const byName = new Map<string, Operation>();
  for (const operation of operations) {
    if (byName.has(operation.name)) throw new Error(`Two operations are named "${operation.name}".`);
    byName.set(operation.name, operation);
  }
  return byName;
}
