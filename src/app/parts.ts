import path from 'node:path';
import {
  createAlertMetrics,
  createAlertService,
  createCommentService,
  createContextTagService,
  createDestinationService,
  createWebhookSender,
} from '#alerts';
import { type AuditRecorder, createAuditRecorder, createAuditService } from '#audit';
import {
  buildBundle,
  createContentService,
  createDetectionReferences,
  createDetectionService,
  createIndexMissStore,
  createSandboxPool,
  createSavedSearchService,
  createRemovalService,
  createTestingService,
  createTenantSnapshots,
  createUploadService,
  createUploadSessionService,
  findSearchText,
  type SandboxPool,
} from '#detections';
import {
  createRetentionService,
  createRoleService,
  createSessionService,
  createSettingsService,
  createTenantService,
  createTokenMemory,
  createTokenService,
  createUserService,
  userDirectory,
} from '#identity';
import {
  createAlarmService,
  createBatchService,
  createSchemaService,
  createSourceService,
  findSchema,
  logTypeSchemas,
  managedSchemas,
  createUsageService,
} from '#ingestion';
import { createLake } from '#lake';
import { createSharedClock } from '#platform/clock';
import { createAddressGuard, createHttpClient } from '#platform/http-client';
import { systemIds } from '#platform/ids';
import { createLakeClient } from '#platform/lake-client';
import { createLog, type Log } from '#platform/log';
import { encryptObjects, type ObjectStore } from '#platform/objects';
import { openDatabase } from '#platform/postgres';
import { createMasterKeys, createObjectKeys, createSecrets, createTenantKeys } from '#platform/secrets';
import { chooseWalls, type WallReport } from '#platform/walls';
import { createQueryService, defaultLimits } from '#search';
import { createSystemErrorRecorder, createSystemErrorService } from '#system-errors';
import { openObjects } from './open-objects.ts';
import { retentionLimits } from './retention-limits.ts';
import { productVersion, publicUrl, type Runtime } from './runtime.ts';

/** Opens the stores of a role and makes the parts that have no product words. */
export function openPlatform(runtime: Runtime) {
  const log = createLog({ level: runtime.settings.MARGAY_LOG_LEVEL, role: runtime.roles.join('+') });
  const database = openDatabase({ url: runtime.databaseUrl, connectionsMax: 12, log });
  const client = createLakeClient(runtime.lake);
  const masterKeys = createMasterKeys(runtime.masterKeys);
  const tenantKeys = createTenantKeys(masterKeys);
  const storedObjects = openObjects(runtime.settings, runtime.dataDir);
  const objects = encryptObjects(storedObjects, createObjectKeys(database, tenantKeys));
  const { MARGAY_LAKE_ENGINE: engine, MARGAY_EVENT_RETENTION_DAYS: retentionDays } = runtime.settings;
  const lake = createLake({ database, client, objects, ids: systemIds, log, engine, retentionDays });
  return {
    log,
    database,
    objects,
    lake,
    lakeClient: client,
    masterKeys,
    /** Objects as they lie there: encrypted. */
    storedObjects,
    secrets: createSecrets(tenantKeys),
    clock: createSharedClock(() => database.now()),
    ids: systemIds,
    async close() {
      await client.close();
      await database.close();
      storedObjects.close();
    },
  };
}

export type Platform = ReturnType<typeof openPlatform>;

/** How the product reaches addresses that tenants gave, and what it says when it cannot. */
export function openOutbound({ clock, ids }: Platform, runtime: Runtime) {
  const guard = createAddressGuard(runtime.settings.MARGAY_OUTBOUND_ALLOW_CIDRS);
  return {
    guard,
    webhooks: createWebhookSender({ http: createHttpClient({ guard }), clock }),
    systemErrors: createSystemErrorRecorder({ clock, ids }),
    consoleUrl: `${publicUrl(runtime)}/console`,
  };
}

/** Starts the interpreter pool behind the strongest wall there is. With the object store it keeps warm starts there. */
export async function openSandbox(
  { settings, dataDir }: Runtime,
  objects?: ObjectStore,
  log?: Log,
): Promise<{ readonly pool: SandboxPool; readonly walls: WallReport }> {
  const bundle = await buildBundle(path.resolve(dataDir, 'bundle'));
  const walls = await chooseWalls({ bundle, nodePath: process.execPath, uid: process.getuid?.() });
  const pool = createSandboxPool({
    walls,
    bundle,
    index: {
      mode: settings.MARGAY_RULE_INDEX,
      verifyShare: settings.MARGAY_RULE_INDEX_VERIFY_PERCENT / 100,
    },
    memoryBytesMax: settings.MARGAY_SANDBOX_MEMORY_MIB * 1024 * 1024,
    reportUnindexed: (found) => log?.error('rule_index_unavailable', found),
    ...(objects && {
      snapshots: createTenantSnapshots({ objects, bundle }),
      misses: createIndexMissStore({ objects, bundle }),
    }),
  });
  return { pool, walls: walls.report };
}

/** Why a second tenant may not come, or undefined. */
function objection(walls: WallReport, isOverridden: boolean): string | undefined {
  if (walls.isolatesTenants || isOverridden) return undefined;
  return `This host has only the inner wall around detections, so it serves one tenant. ${walls.howToFix ?? ''}`;
}

/** Queries over the data lake, and searches that are kept. */
function createSearchServices({ database, clock, ids, objects }: Platform, audit: AuditRecorder) {
  const queries = createQueryService({
    database,
    audit,
    clock,
    ids,
    objects,
    limits: defaultLimits,
    schemas: logTypeSchemas,
    savedSearch: findSearchText,
  });
  return { queries, savedSearches: createSavedSearchService({ database, audit, queries }) };
}

function createContentServices(platform: Platform, runtime: Runtime, audit: AuditRecorder, sandbox: SandboxPool) {
  const { database, objects, ids, secrets, clock } = platform;
  return {
    content: createContentService({ database, audit, sandbox }),
    detections: createDetectionService({ database, audit, sandbox }),
    uploads: createUploadService({ database, audit, sandbox, objects, ids }),
    uploadSessions: createUploadSessionService({
      database,
      audit,
      objects,
      ids,
      secrets,
      clock,
      publicUrl: publicUrl(runtime),
    }),
    testing: createTestingService({ database, audit, sandbox }),
  };
}

/** The use cases behind the API. */
export function createServices(
  platform: Platform,
  runtime: Runtime,
  sandbox: { readonly pool: SandboxPool; readonly walls: WallReport },
) {
  const { database, clock, ids, secrets, lake } = platform;
  const audit = createAuditRecorder({ database, clock });
  const tokenMemory = createTokenMemory(clock);
  const hasSchema = async (tx: Parameters<typeof findSchema>[0], logType: string) =>
    managedSchemas().has(logType) || (await findSchema(tx, logType)) !== undefined;
  return {
    recorder: audit,
    tenants: createTenantService({
      database,
      audit,
      ids,
      objectionToSecondTenant: () => objection(sandbox.walls, runtime.settings.MARGAY_ALLOW_WEAK_SANDBOX),
    }),
    alarms: createAlarmService({ database, audit, clock }),
    alerts: createAlertService({ database, audit, clock, ids, lake: lake.reader, assignees: userDirectory }),
    alertMetrics: createAlertMetrics({ database }),
    usage: createUsageService({ database }),
    comments: createCommentService({ database, audit, clock }),
    contextTags: createContextTagService({ database, audit }),
    audit: createAuditService({ database }),
    batches: createBatchService({ database, audit, clock, ids }),
    destinations: createDestinationService({
      ...openOutbound(platform, runtime),
      database,
      audit,
      secrets,
      clock,
      ids,
    }),
    detectionReferences: createDetectionReferences({ database }),
    ...createContentServices(platform, runtime, audit, sandbox.pool),
    schemas: createSchemaService({ database, audit }),
    sources: createSourceService({ database, audit, secrets, ids, lake: lake.reader, hasSchema }),
    ...createSearchServices(platform, audit),
    retention: createRetentionService({ database, audit, limits: retentionLimits(runtime.settings) }),
    roles: createRoleService({ database, audit, ids }),
    settings: createSettingsService({ version: productVersion, database, audit }),
    sessions: createSessionService({ database, audit, clock, ids }),
    systemErrors: createSystemErrorService({ database, audit, clock }),
    removals: createRemovalService({ database, audit }),
    tokenMemory,
    tokens: createTokenService({ database, audit, clock, ids, memory: tokenMemory }),
    users: createUserService({ database, audit, ids }),
  };
}
