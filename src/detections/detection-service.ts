import { z } from 'zod';
import { type Actor, admit, defineMutation, defineQuery } from '#access';
import type { AuditRecorder } from '#audit';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Database } from '#platform/postgres';
import { bodyBytesMax, type ContentItem, itemOf, parseSpec, unitTests } from './content/content-item.ts';
import {
  deleteDetectionRow,
  findDetection,
  listDetections,
  saveDetection,
  type StoredDetection,
} from './detection-store.ts';
import type { SandboxPool, UnitTestResult } from './sandbox/sandbox-contract.ts';
import { evaluationContent, sandboxContent } from './sandbox-content.ts';

const id = z.string().min(1, 'is empty').max(200);
const body = z.string().max(bodyBytesMax, `has more than ${bodyBytesMax} characters`);
const specification = z.string().min(1, 'is empty').max(2_000_000);

const detections = defineQuery({
  name: 'detections',
  summary: 'Rules, globals and data models.',
  permission: 'RuleRead',
  input: z.strictObject({}),
});
const detection = defineQuery({
  name: 'detection',
  summary: 'One rule, global or data model.',
  permission: 'RuleRead',
  input: z.strictObject({ id }),
});
const saveDetectionOperation = defineMutation({
  name: 'saveDetection',
  summary: 'Creates or replaces a rule, global or data model from its YAML and Python.',
  permission: 'RuleModify',
  audit: 'UPDATE_RULE',
  input: z.strictObject({ specification, body }),
});
const setDetectionEnabled = defineMutation({
  name: 'setDetectionEnabled',
  summary: 'Switches a rule or data model on or off.',
  permission: 'RuleModify',
  audit: 'UPDATE_DETECTION_STATE',
  input: z.strictObject({ id, isEnabled: z.boolean() }),
});
const deleteDetection = defineMutation({
  name: 'deleteDetection',
  summary: 'Deletes a rule, global or data model.',
  permission: 'RuleModify',
  audit: 'DELETE_DETECTION',
  input: z.strictObject({ id }),
});
const testDetection = defineMutation({
  name: 'testDetection',
  summary: 'Runs the unit tests of a rule that need not be saved.',
  permission: 'RuleRead',
  audit: 'TEST_RULE',
  input: z.strictObject({ specification, body }),
});

export const detectionOperations = [
  detections,
  detection,
  saveDetectionOperation,
  setDetectionEnabled,
  deleteDetection,
  testDetection,
];

export type DetectionService = {
  list(actor: Actor, input: unknown): Promise<readonly StoredDetection[]>;
  get(actor: Actor, input: unknown): Promise<StoredDetection>;
  save(actor: Actor, input: unknown): Promise<StoredDetection>;
  setEnabled(actor: Actor, input: unknown): Promise<StoredDetection>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  test(actor: Actor, input: unknown): Promise<readonly UnitTestResult[]>;
  /** Many items at once, each as it is; used by uploads and the first start. */
  install(actor: Actor, items: readonly ContentItem[]): Promise<void>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly sandbox: Pick<SandboxPool, 'check' | 'test'>;
};

function readItem(input: { readonly specification: string; readonly body: string }): ContentItem {
  const parsed = parseSpec(input.specification);
  if ('spec' in parsed) return itemOf(parsed.spec, input.body);
  throw badInput(
    'specification',
    parsed.problems.map(({ key, message }) => `specification: ${key === '' ? '' : `${key} `}${message}`).join('; '),
  );
}

/** Loads the item together with what is saved, and refuses what does not load. */
async function refuseBroken(
  { sandbox }: Deps,
  tenantId: string,
  item: ContentItem,
  saved: readonly ContentItem[],
): Promise<void> {
  const content = sandboxContent(
    evaluationContent([
      ...saved.filter((other) => other.id !== item.id && other.kind !== 'RULE'),
      { ...item, isEnabled: true },
    ]),
  );
  const own = (await sandbox.check({ tenantId, content })).find((error) => error.ruleId === item.id);
  if (own) throw badInput('body', `body: ${own.exception}: ${own.message}`);
}

async function read({ database }: Deps, actor: Actor, wanted: string): Promise<StoredDetection> {
  const found = await database.withTenant(actor.tenantId, (tx) => findDetection(tx, wanted));
  if (found === undefined) throw notFound('detection', wanted);
  return found;
}

async function save(deps: Deps, actor: Actor, input: unknown): Promise<StoredDetection> {
  const item = readItem(admit(actor, saveDetectionOperation, input));
  const saved = await deps.database.withTenant(actor.tenantId, listDetections);
  const other = saved.find((known) => known.id === item.id && known.kind !== item.kind);
  if (other)
    throw new DomainError('conflict', {
      field: 'specification',
      publicMessage: `The id "${item.id}" belongs to a ${other.kind.toLowerCase()} already.`,
    });
  await refuseBroken(deps, actor.tenantId, item, saved);
  await deps.database.withTenant(actor.tenantId, async (tx) => {
    await saveDetection(tx, item);
    const parameters = { kind: item.kind, isEnabled: item.isEnabled };
    await deps.audit.record(tx, actor, saveDetectionOperation, {
      target: { kind: 'detection', id: item.id },
      parameters,
    });
  });
  return read(deps, actor, item.id);
}

async function setEnabled(deps: Deps, actor: Actor, input: unknown): Promise<StoredDetection> {
  const { id: wanted, isEnabled } = admit(actor, setDetectionEnabled, input);
  const { spec, body: text } = await read(deps, actor, wanted);
  if (spec.AnalysisType === 'global') throw badInput('id', 'id: a global is always enabled; delete it instead');
  await deps.database.withTenant(actor.tenantId, async (tx) => {
    await saveDetection(tx, itemOf({ ...spec, Enabled: isEnabled }, text));
    await deps.audit.record(tx, actor, setDetectionEnabled, {
      target: { kind: 'detection', id: wanted },
      parameters: { isEnabled },
    });
  });
  return read(deps, actor, wanted);
}

async function runTests(deps: Deps, actor: Actor, input: unknown): Promise<readonly UnitTestResult[]> {
  const item = readItem(admit(actor, testDetection, input));
  const { spec } = item;
  if (spec.AnalysisType !== 'rule') throw badInput('specification', 'specification: only rules have tests');
  const saved = await deps.database.withTenant(actor.tenantId, listDetections);
  const others = saved.filter((other) => other.kind !== 'RULE');
  const content = sandboxContent(evaluationContent([...others, { ...item, isEnabled: true }]));
  const results = await deps.sandbox.test({
    tenantId: actor.tenantId,
    content,
    ruleId: item.id,
    tests: unitTests(spec),
  });
  await deps.database.withTenant(actor.tenantId, (tx) =>
    deps.audit.record(tx, actor, testDetection, { target: { kind: 'detection', id: item.id } }),
  );
  return results;
}

export function createDetectionService(deps: Deps): DetectionService {
  const { database, audit } = deps;
  return {
    async list(actor, input) {
      admit(actor, detections, input);
      return database.withTenant(actor.tenantId, listDetections);
    },
    get: async (actor, input) => read(deps, actor, admit(actor, detection, input).id),
    save: (actor, input) => save(deps, actor, input),
    setEnabled: (actor, input) => setEnabled(deps, actor, input),
    async delete(actor, input) {
      const { id: wanted } = admit(actor, deleteDetection, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteDetectionRow(tx, wanted))) throw notFound('detection', wanted);
        await audit.record(tx, actor, deleteDetection, { target: { kind: 'detection', id: wanted } });
      });
      return { id: wanted };
    },
    test: (actor, input) => runTests(deps, actor, input),
    async install(actor, items) {
      admit(actor, saveDetectionOperation, { specification: 'install', body: '' });
      await database.withTenant(actor.tenantId, async (tx) => {
        for (const item of items) {
          await saveDetection(tx, item);
          await audit.record(tx, actor, saveDetectionOperation, {
            target: { kind: 'detection', id: item.id },
            parameters: { kind: item.kind },
          });
        }
      });
    },
  };
}
