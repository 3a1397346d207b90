import { DomainError, type ErrorCode } from '#platform/errors';
import type { ErrorCode as ToldCode, ResolversTypes } from './generated/resolvers.ts';

const codes: Readonly<Partial<Record<ErrorCode, ToldCode>>> = {
  not_found: 'NotFound',
  bad_input: 'InvalidInput',
  conflict: 'InvalidInput',
};

/** Mutations whose clients read a failure from the data instead of from `errors`; undefined where that is not so. */
export function toldFailure(mutation: string, error: unknown): ResolversTypes['GetSchemaOutput'] | undefined {
  const code = mutation === 'updateSchemaStatus' && error instanceof DomainError ? codes[error.code] : undefined;
  return code && error instanceof DomainError ? { error: { code, message: error.publicMessage } } : undefined;
}
