import DataLoader from 'dataloader';
import type { Actor } from '#access';
import type {
  AlertComment,
  AlertMetricsService,
  AlertService,
  Delivery,
  DeliveryAttempt,
  DestinationService,
} from '#alerts';
import type { AuditService } from '#audit';
import type {
  DetectionReference,
  DetectionReferences,
  DetectionService,
  RemovalService,
  SavedSearchService,
  TestingService,
  UploadService,
  UploadSessionService,
} from '#detections';
import type {
  ApiToken,
  RetentionService,
  RoleService,
  SettingsService,
  TokenService,
  User,
  UserService,
} from '#identity';
import type { AlarmService, BatchService, SchemaService, SourceService, UsageService } from '#ingestion';
import type { QueryService } from '#search';
import type { SystemErrorService } from '#system-errors';

/** The use cases that resolvers call, one service per area. */
export type Services = {
  readonly alarms: AlarmService;
  readonly alertMetrics: AlertMetricsService;
  readonly alerts: AlertService;
  readonly audit: AuditService;
  readonly batches: BatchService;
  readonly destinations: DestinationService;
  readonly detectionReferences: DetectionReferences;
  readonly detections: DetectionService;
  readonly queries: QueryService;
  readonly retention: RetentionService;
  readonly roles: RoleService;
  readonly savedSearches: SavedSearchService;
  readonly schemas: SchemaService;
  readonly settings: SettingsService;
  readonly sources: SourceService;
  readonly systemErrors: SystemErrorService;
  readonly removals: RemovalService;
  readonly testing: TestingService;
  readonly uploads: UploadService;
  readonly uploadSessions: UploadSessionService;
  readonly tokens: TokenService;
  readonly usage: UsageService;
  readonly users: UserService;
};

export type GraphqlContext = {
  readonly actor: Actor;
  readonly services: Services;
  /** What a list needs of its items, asked for all of them at once. */
  readonly loaders: Loaders;
  /** Throws when the credential behind a subscription is no longer good. */
  readonly recheck: () => Promise<void>;
};

/** A resolver of a root field: takes arguments apart, calls one use case, gives its answer a shape. */
export type RootResolver<Arguments = Record<string, never>> = (
  root: unknown,
  args: Arguments,
  context: GraphqlContext,
) => unknown;

type Loaders = {
  readonly attempts: DataLoader<string, readonly DeliveryAttempt[]>;
  readonly comments: DataLoader<string, readonly AlertComment[]>;
  readonly contexts: DataLoader<string, unknown>;
  readonly deliveries: DataLoader<string, readonly Delivery[]>;
  /** Null for what is gone. */
  readonly detections: DataLoader<string, DetectionReference | null>;
  readonly tokens: DataLoader<string, ApiToken | null>;
  readonly users: DataLoader<string, User | null>;
};

type Load<Item> = (ids: readonly string[]) => Promise<readonly Item[]>;
type Options = { readonly cache: boolean };

function many<Item extends { readonly alertId: string }>(load: Load<Item>, options: Options) {
  return new DataLoader<string, readonly Item[]>(async (ids) => {
    const groups = Map.groupBy(await load(ids), (item) => item.alertId);
    return ids.map((id) => groups.get(id) ?? []);
  }, options);
}

function one<Item extends { readonly id: string }>(load: Load<Item>, options: Options) {
  return new DataLoader<string, Item | null>(async (ids) => {
    const found = new Map((await load(ids)).map((item) => [item.id, item]));
    return ids.map((id) => found.get(id) ?? null);
  }, options);
}

type Live = {
  /** Throws when the credential behind a subscription is no longer good. */
  readonly recheck: () => Promise<void>;
};

/**
 * Loaders live for one request: what one request may see never reaches another. A subscription goes on for long, so its
 * loaders remember nothing between two events.
 */
export function createContext(actor: Actor, services: Services, live?: Live): GraphqlContext {
  const { alerts, detectionReferences, tokens, users } = services;
  const options = { cache: live === undefined };
  const loaders: Loaders = {
    attempts: many((alertIds) => alerts.listDeliveryAttempts(actor, { alertIds }), options),
    comments: many((alertIds) => alerts.listComments(actor, { alertIds }), options),
    contexts: new DataLoader<string, unknown>(async (alertIds) => {
      const found = new Map(
        (await alerts.listContexts(actor, { alertIds })).map(({ alertId, context }) => [alertId, context]),
      );
      return alertIds.map((id) => found.get(id) ?? null);
    }, options),
    deliveries: many((alertIds) => alerts.listDeliveries(actor, { alertIds }), options),
    detections: one((ids) => detectionReferences.list(actor, { ids }), options),
    tokens: one((ids) => tokens.references(actor, { ids }), options),
    users: one((ids) => users.references(actor, { ids }), options),
  };
  return { actor, services, loaders, recheck: live?.recheck ?? (async () => undefined) };
}
