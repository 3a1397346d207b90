import DataLoader from 'dataloader';
import type { Actor } from '#access';
import type { AlertComment, AlertService, Delivery, DestinationService } from '#alerts';
import type { AuditService } from '#audit';
import type { DetectionService } from '#detections';
import type { RoleService, TokenService, UserService } from '#identity';
import type { BatchService, SchemaService, SourceService } from '#ingestion';

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
  readonly tokens: TokenService;
  readonly users: UserService;
};

export type GraphqlContext = {
  readonly actor: Actor;
  readonly services: Services;
  readonly loaders: {
    readonly comments: DataLoader<string, readonly AlertComment[]>;
    readonly deliveries: DataLoader<string, readonly Delivery[]>;
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
    comments: byAlert((ids) => services.alerts.commentsOf(actor, ids)),
    deliveries: byAlert((ids) => services.alerts.deliveriesOf(actor, ids)),
  };
  return { actor, services, loaders };
}
