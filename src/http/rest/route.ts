import type { z } from 'zod';
import type { Actor, Operation } from '#access';
import type { AlertService, CommentService, ContextTagService } from '#alerts';
import type { ContentService, RemovalService, SavedSearchService, UploadService } from '#detections';
import type { RoleService, TokenService, UserService } from '#identity';
import type { AlarmService, SourceService } from '#ingestion';
import type { QueryService, ResultFile } from '#search';
import type { Parameters, ValuesOf } from './query.ts';

/** The use cases that routes call. */
export type RestServices = {
  readonly alarms: AlarmService;
  readonly alerts: AlertService;
  readonly comments: CommentService;
  readonly contextTags: ContextTagService;
  readonly content: ContentService;
  readonly queries: QueryService;
  readonly removals: RemovalService;
  readonly roles: RoleService;
  readonly savedSearches: SavedSearchService;
  readonly sources: SourceService;
  readonly tokens: TokenService;
  readonly uploads: UploadService;
  readonly users: UserService;
};

export type Caller = { readonly actor: Actor; readonly services: RestServices };

type Answer = {
  readonly status: number;
  readonly body?: unknown;
  /** Instead of a body: a file whose bytes go out as they come. */
  readonly file?: ResultFile;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a failure may be told as, beside 401, 403, 413, 429, 500 and 503, which every route knows. */
type DeclaredError = 400 | 404 | 409;

type Definition<P extends Parameters, Body extends z.ZodType> = {
  /** Stable id of the operation, e.g. `alert#list`. */
  readonly id: string;
  readonly method: Method;
  /** With parameters in braces: `/alerts/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** The entry of the catalogue whose permission and audit action this route has. */
  readonly operation: Operation;
  readonly query?: P;
  readonly body?: Body;
  /** The body is `multipart/form-data` instead of JSON; files in it are Buffers. */
  readonly isForm?: boolean;
  /** Body of each good answer; null where it is empty. */
  readonly answers: Readonly<Record<number, z.ZodType | null>>;
  /** Media types of the good answer when it is a file. */
  readonly media?: readonly string[];
  readonly errors: readonly DeclaredError[];
  /** Fields beside `message` in the body of a 400. */
  readonly failure?: Readonly<Record<string, z.ZodType>>;
  readonly handle: (
    request: {
      readonly params: Readonly<Record<string, string>>;
      readonly query: ValuesOf<P>;
      readonly body: z.output<Body>;
    },
    caller: Caller,
  ) => Promise<Answer>;
};

// The parts of a route fit one another where it is defined; from there on they are only used together.
export type RestRoute = Omit<Definition<Parameters, z.ZodType>, 'handle'> & {
  readonly handle: (
    request: {
      readonly params: Readonly<Record<string, string>>;
      readonly query: unknown;
      readonly body: unknown;
    },
    caller: Caller,
  ) => Promise<Answer>;
};

export function defineRoute<const P extends Parameters, Body extends z.ZodType>(
  definition: Definition<P, Body>,
): RestRoute {
  return definition as unknown as RestRoute;
}

/** Finds the operations of a room by name; a wrong name stops the start. */
export const operationIn =
  (operations: readonly Operation[]) =>
  (name: string): Operation => {
    const found = operations.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`There is no operation ${name}.`);
    return found;
  };
