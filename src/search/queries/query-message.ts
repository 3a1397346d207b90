import { connectionLost, QueryStopped } from '#platform/lake-client';
import type { QueryLimits } from '../fence/limits.ts';

const narrow = 'Narrow it: a shorter range of p_event_time, fewer tables, a LIMIT, or fewer groups.';
const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

/** Codes of the engine for a query that was stopped by a limit, and others that say something about the query. */
function explainCode(code: number, limits: QueryLimits): string | undefined {
  switch (code) {
    case 159:
    case 160:
      return `It ran longer than ${limits.timeoutSeconds} s and was stopped. ${narrow}`;
    case 241:
    case 173:
      return `It needed more than ${mebibytes(limits.memoryBytesMax)} of memory and was stopped. ${narrow}`;
    case 396:
    case 307:
    case 158:
      return `It read or gave more than is allowed and was stopped. ${narrow}`;
    case 215:
      return 'A column is neither in GROUP BY nor inside an aggregate.';
    case 184:
      return 'An aggregate stands where none is allowed. Use HAVING for conditions on aggregates.';
    case 403:
    case 48:
      return 'This join needs an equality between both sides in its ON.';
    case 43:
    case 386:
    case 53:
      return 'Two values of different types meet. Cast one of them, for example with ::string.';
    case 153:
      return 'A division by zero. Write NULLIF(x, 0) around the divisor.';
    case 427:
    case 36:
      return 'An argument of a function is not valid, for example a regular expression.';
    case 168:
    case 167:
    case 306:
    case 62:
      return 'It is too large for the engine. Use fewer columns, tables or nested queries.';
    case 60:
    case 81:
      return 'A table that it reads is not there any more. Ask again.';
    case connectionLost:
      return 'The process that ran it ended. Ask again.';
    default:
      return undefined;
  }
}

/** What the person who asked reads about a query that failed. The engine's own words stay in the log. */
export function failureMessage(error: unknown, limits: QueryLimits): string {
  if (!(error instanceof QueryStopped))
    return 'The query could not be run. Try again; if it fails again, tell your operator.';
  return explainCode(error.code, limits) ?? `The data lake could not run the query (code ${error.code}).`;
}
