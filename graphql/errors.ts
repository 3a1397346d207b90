import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError, type ErrorCode } from '#platform/errors';
import type { Log } from '#platform/log';

const codes: Readonly<Record<ErrorCode, string>> = {
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  bad_input: 'BAD_USER_INPUT',
  conflict: 'CONFLICT',
  too_large: 'BAD_USER_INPUT',
  rate_limited: 'RATE_LIMITED',
  unavailable: 'SERVICE_UNAVAILABLE',
  not_available: 'NOT_AVAILABLE',
  internal: 'INTERNAL_SERVER_ERROR',
};

const masked = {
  message: 'Something went wrong on our side. The trace id in the response header helps us find it.',
  extensions: { code: 'INTERNAL_SERVER_ERROR' },
};

/** An error of ours as GraphQL says it. */
export function toGraphqlError(error: DomainError): GraphQLError {
  const field = error.field === undefined ? {} : { field: error.field };
  return new GraphQLError(error.publicMessage, { extensions: { code: codes[error.code], ...field } });
}

/** What a client may see of an error. Whatever is not ours or GraphQL's own is logged and masked. */
export function errorFormatter(log: Log) {
  return (formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError => {
    const original = error instanceof GraphQLError ? error.originalError : error;
    const place = {
      ...(formatted.path ? { path: formatted.path } : {}),
      ...(formatted.locations ? { locations: formatted.locations } : {}),
    };
    if (original instanceof DomainError && original.code !== 'internal') {
      const { message, extensions } = toGraphqlError(original);
      return { message, extensions, ...place };
    }
    const code = formatted.extensions?.['code'];
    const isOwn = original === undefined || original === null || original instanceof GraphQLError;
    if (isOwn && code !== 'INTERNAL_SERVER_ERROR')
      return { message: formatted.message, extensions: { code: code ?? 'BAD_USER_INPUT' }, ...place };
    log.error('graphql_error', { error: original ?? error, path: formatted.path });
    return { ...masked, ...place };
  };
}
