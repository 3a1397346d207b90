import DataLoader from 'dataloader';
import type { Actor } from '#access';
import type { AlertComment, AlertService, Delivery, DeliveryAttempt, DestinationService } from '#alerts';
import type { AuditService } from '#audit';
import type { DetectionService, RemovalService, TestingService, UploadService } from '#detections';
import type { RoleService, TokenService, User, UserService } from '#identity';
import type { BatchService, SchemaService, SourceService } from '#ingestion';
import type { SystemErrorService } from '#system-errors';

/** The use cases that resolvers call, one service per area. */
export type Services = {
  readonly alerts: AlertService;
  readonly audit: AuditService;
  readonly batches: BatchService;
  readonly destinations: DestinationService;
  readonly detections: DetectionService;
  readonly roles: RoleService;
  readonly schemas: SchemaService;
  readonly sources: SourceService;
  readonly systemErrors: SystemErrorService;
  readonly removals: RemovalService;
  readonly testing: TestingService;
  readonly uploads: UploadService;
  readonly tokens: TokenService;
  readonly users: UserService;
};

export type GraphqlContext = {
  readonly actor: Actor;
  readonly services: Services;
  readonly loaders: {
    readonly attempts: DataLoader<string, readonly DeliveryAttempt[]>;
    readonly comments: DataLoader<string, readonly AlertComment[]>;
    readonly contexts: DataLoader<string, unknown>;
    readonly deliveries: DataLoader<string, readonly Delivery[]>;
    /** Null for users that are gone. */
    readonly users: DataLoader<string, User | null>;
  };
};

/** A resolver of a root field: takes arguments apart, calls one use case, gives its answer a shape. */
export type RootResolver<Arguments = Record<string, never>> = (
  root: unknown,
  args: Arguments,
  context: GraphqlContext,
) => unknown;

/** Loaders live for one request: what one request may see never reaches another. */
export function createContext(actor: Actor, services: Services): GraphqlContext {
  const byAlert = <Item extends { readonly alertId: string }>(
    load: (ids: readonly string[]) => Promise<readonly Item[]>,
  ) =>
    new DataLoader<string, readonly Item[]>(async (ids) => {
      const groups = Map.groupBy(await load(ids), (item) => item.alertId);
      return ids.map((id) => groups.get(id) ?? []);
    });
  const loaders = {
    attempts: byAlert((alertIds) => services.alerts.listDeliveryAttempts(actor, { alertIds })),
    comments: byAlert((alertIds) => services.alerts.listComments(actor, { alertIds })),
    contexts: new DataLoader<string, unknown>(async (alertIds) => {
      const found = new Map(
        (await services.alerts.listContexts(actor, { alertIds })).map(({ alertId, context }) => [alertId, context]),
      );
      return alertIds.map((id) => found.get(id) ?? null);
    }),
    deliveries: byAlert((alertIds) => services.alerts.listDeliveries(actor, { alertIds })),
    users: new DataLoader<string, User | null>(async (ids) => {
      const found = new Map((await services.users.list(actor, {})).map((user) => [user.id, user]));
      return ids.map((id) => found.get(id) ?? null);
    }),
  };
  return { actor, services, loaders };
}
