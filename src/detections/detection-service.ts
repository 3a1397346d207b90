import { type Actor, admit, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Database } from '#platform/postgres';
import { checkItem } from './content/check-content.ts';
import { mayReadKind, refuseCodeOfLimited, requireKind } from './content-rights.ts';
import { type ContentItem, type ContentProblem, isDerived, itemOf, parseSpec } from './content/content-item.ts';
import * as operations from './detection-operations.ts';
import {
  deleteDetectionRows,
  type DetectionVersion,
  findDetection,
  listDetections,
  listVersions,
  saveDetections,
  type StoredDetection,
} from './detection-store.ts';
import { type CoverageEntry, mitreCoverage } from './mitre-coverage.ts';
import type { SandboxPool } from './sandbox/sandbox-contract.ts';
import { sandboxContent, testingContent } from './sandbox-content.ts';
import { type Condition, conditions } from './simple/conditions.ts';
import { type HourlyStatistics, listStatistics } from './statistics-store.ts';
import { libraryKinds } from './testing/run-tests.ts';
import { refuseInUse } from './uploads/removal-service.ts';

export type DetectionService = {
  list(actor: Actor, input: unknown): Promise<readonly StoredDetection[]>;
  get(actor: Actor, input: unknown): Promise<StoredDetection>;
  versions(actor: Actor, input: unknown): Promise<readonly DetectionVersion[]>;
  statistics(actor: Actor, input: unknown): Promise<readonly HourlyStatistics[]>;
  conditions(actor: Actor, input: unknown): Promise<readonly Omit<Condition, 'test'>[]>;
  coverage(actor: Actor, input: unknown): Promise<readonly CoverageEntry[]>;
  save(actor: Actor, input: unknown): Promise<StoredDetection>;
  setEnabled(actor: Actor, input: unknown): Promise<StoredDetection>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  /** Many items at once, each as it is; used by the first start. */
  install(actor: Actor, items: readonly ContentItem[]): Promise<void>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check'>;
};

function refuse(problems: readonly ContentProblem[]): never {
  const lines = problems.map(({ key, message, line }) => {
    const place = line === undefined ? '' : ` (line ${line})`;
    return `specification: ${key === '' ? '' : `${key} `}${message}${place}`;
  });
  throw badInput('specification', lines.join('; '));
}

/** The item that a caller wrote down. Throws DomainError `bad_input` naming key, line and reason. */
export function readItem(input: { readonly specification: string; readonly body: string }): ContentItem {
  const parsed = parseSpec(input.specification);
  if ('problems' in parsed) return refuse(parsed.problems);
  const item = itemOf(parsed.spec, input.body, input.specification);
  const problems = checkItem(item);
  return problems.length > 0 ? refuse(problems) : item;
}

/** Loads the item together with what is saved, and refuses what does not load. */
export async function refuseBroken(
  { sandbox }: Pick<Deps, 'sandbox'>,
  tenantId: string,
  item: ContentItem,
  saved: readonly ContentItem[],
): Promise<void> {
  if (item.body === '') return;
  const others = saved.filter((other) => other.id !== item.id && libraryKinds.has(other.kind));
  const content = sandboxContent(testingContent([...others, { ...item, isEnabled: true }]));
  const own = (await sandbox.check({ tenantId, content })).find((error) => error.ruleId === item.id);
  if (own) throw badInput('body', `body: ${own.exception}: ${own.message}`);
}

async function read({ database }: Deps, actor: Actor, wanted: string): Promise<StoredDetection> {
  const found = await database.withTenant(actor.tenantId, (tx) => findDetection(tx, wanted));
  if (found === undefined) throw notFound('detection', wanted);
  requireKind(actor, operations.detectionQuery, found.kind);
  return found;
}

/** What the item needs beside itself must be there, and its id must not belong to another type. */
export function refuseConflicts(item: ContentItem, saved: readonly ContentItem[]): void {
  const other = saved.find((known) => known.id === item.id && known.kind !== item.kind);
  if (other)
    throw new DomainError('conflict', {
      field: 'specification',
      publicMessage: `The id "${item.id}" belongs to a ${other.kind.toLowerCase()} already.`,
    });
  const { spec } = item;
  if (
    isDerived(spec) &&
    !saved.some(({ id, spec: known }) => id === spec.BaseDetection && known.AnalysisType === 'rule')
  )
    throw badInput('specification', `specification: BaseDetection names "${spec.BaseDetection}", which does not exist`);
  if (spec.AnalysisType !== 'datamodel' || !item.isEnabled) return;
  for (const known of saved) {
    if (known.id === item.id || known.spec.AnalysisType !== 'datamodel' || !known.isEnabled) continue;
    const shared = known.spec.LogTypes.find((logType) => spec.LogTypes.includes(logType));
    if (shared !== undefined)
      throw badInput('specification', `specification: LogTypes: "${shared}" has the data model "${known.id}" already`);
  }
}

async function save(deps: Deps, actor: Actor, input: unknown): Promise<StoredDetection> {
  const item = readItem(admit(actor, operations.saveDetection, input));
  requireKind(actor, operations.saveDetection, item.kind);
  refuseCodeOfLimited(actor, item);
  const saved = await deps.database.withTenant(actor.tenantId, listDetections);
  refuseConflicts(item, saved);
  await refuseBroken(deps, actor.tenantId, item, saved);
  await deps.database.withTenant(actor.tenantId, async (tx) => {
    await saveDetections({ tx, changedBy: referenceOf(actor) }, [item]);
    const parameters = { kind: item.kind, isEnabled: item.isEnabled };
    await deps.audit.record(tx, actor, operations.saveDetection, {
      target: { kind: 'detection', id: item.id },
      parameters,
    });
  });
  return read(deps, actor, item.id);
}

async function setEnabled(deps: Deps, actor: Actor, input: unknown): Promise<StoredDetection> {
  const { id: wanted, isEnabled } = admit(actor, operations.setDetectionEnabled, input);
  const { kind, spec, body, source } = await read(deps, actor, wanted);
  requireKind(actor, operations.setDetectionEnabled, kind);
  if (!('Enabled' in spec) && !isDerived(spec))
    throw badInput('id', `id: a ${spec.AnalysisType} is always enabled; delete it instead`);
  const item = itemOf({ ...spec, Enabled: isEnabled }, body, source);
  if (isEnabled) refuseConflicts(item, await deps.database.withTenant(actor.tenantId, listDetections));
  await deps.database.withTenant(actor.tenantId, async (tx) => {
    await saveDetections({ tx, changedBy: referenceOf(actor) }, [item]);
    await deps.audit.record(tx, actor, operations.setDetectionEnabled, {
      target: { kind: 'detection', id: wanted },
      parameters: { isEnabled },
    });
  });
  return read(deps, actor, wanted);
}

async function remove({ database, audit }: Deps, actor: Actor, input: unknown): Promise<{ readonly id: string }> {
  const { id } = admit(actor, operations.deleteDetection, input);
  await database.withTenant(actor.tenantId, async (tx) => {
    const all = await listDetections(tx);
    const going = all.filter((item) => item.id === id);
    if (going.length === 0) throw notFound('detection', id);
    for (const { kind } of going) requireKind(actor, operations.deleteDetection, kind);
    refuseInUse(going, all);
    await deleteDetectionRows({ tx, changedBy: referenceOf(actor) }, [id]);
    await audit.record(tx, actor, operations.deleteDetection, { target: { kind: 'detection', id } });
  });
  return { id };
}

async function versions({ database }: Deps, actor: Actor, input: unknown): Promise<readonly DetectionVersion[]> {
  const { id } = admit(actor, operations.detectionVersions, input);
  const found = await database.withTenant(actor.tenantId, (tx) => listVersions(tx, id));
  const [latest] = found;
  if (latest === undefined) throw notFound('detection', id);
  requireKind(actor, operations.detectionVersions, latest.kind);
  return found;
}

export function createDetectionService(deps: Deps): DetectionService {
  const { database, audit } = deps;
  return {
    async list(actor, input) {
      admit(actor, operations.detectionsQuery, input);
      const all = await database.withTenant(actor.tenantId, listDetections);
      return all.filter(({ kind }) => mayReadKind(actor, kind));
    },
    get: async (actor, input) => read(deps, actor, admit(actor, operations.detectionQuery, input).id),
    versions: (actor, input) => versions(deps, actor, input),
    async statistics(actor, input) {
      const { id, since } = admit(actor, operations.detectionStatistics, input);
      return database.withTenant(actor.tenantId, (tx) => listStatistics(tx, since, id ?? undefined));
    },
    async conditions(actor, input) {
      admit(actor, operations.detectionConditions, input);
      return [...conditions.values()].map(({ test: _test, ...condition }) => condition);
    },
    async coverage(actor, input) {
      admit(actor, operations.detectionCoverage, input);
      return mitreCoverage(await database.withTenant(actor.tenantId, listDetections));
    },
    save: (actor, input) => save(deps, actor, input),
    setEnabled: (actor, input) => setEnabled(deps, actor, input),
    delete: (actor, input) => remove(deps, actor, input),
    async install(actor, items) {
      admit(actor, operations.saveDetection, { specification: 'install', body: '' });
      await database.withTenant(actor.tenantId, async (tx) => {
        await saveDetections({ tx, changedBy: referenceOf(actor) }, items);
        for (const item of items) {
          await audit.record(tx, actor, operations.saveDetection, {
            target: { kind: 'detection', id: item.id },
            parameters: { kind: item.kind },
          });
        }
      });
    },
  };
}
