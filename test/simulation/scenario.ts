import { createHash } from 'node:crypto';
import type { Kernel } from './kernel.ts';
import type { Tables } from './model/transaction.ts';

export const logType = 'Custom.Sim';
export const otherLogType = 'Custom.Other';

export type SimTenant = {
  readonly id: string;
  readonly sourceIds: readonly string[];
  readonly destinations: readonly SimDestination[];
};

export type SimDestination = { readonly id: string; readonly url: string; readonly severities: readonly string[] };

/** An id that follows from its name: version 4 in form. */
export function idOf(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(parts.join('/')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const fields = [
  '{ name: id, type: string, required: true }',
  '{ name: group, type: string, required: true }',
  '{ name: hit, type: string }',
  '{ name: refused, type: boolean }',
  '{ name: at, type: timestamp, timeFormats: [rfc3339], isEventTime: true }',
];
const variants: readonly (readonly string[])[] = [
  [],
  ['{ name: extra, type: string }'],
  ['{ name: extra, type: string, required: true }'],
  ['{ name: kind, type: string }'],
];

export const schemaSpec = (name: string, variant: number): string =>
  [
    `schema: ${name}`,
    'fields:',
    ...[...fields, ...(variants[variant % variants.length] ?? [])].map((field) => `  - ${field}`),
  ]
    .join('\n')
    .concat('\n');

/** What a rule of the simulation is about; its Python is this, as JSON. */
export type SimRule = { readonly hit: string; readonly isFlaky: boolean; readonly remembers: boolean };

export type RuleVariant = {
  readonly id: string;
  readonly hit: string;
  readonly isEnabled: boolean;
  readonly isFlaky: boolean;
  /** It counts its hits of each group in what rules remember. */
  readonly remembers: boolean;
  readonly logTypes: string[];
  readonly severity: string;
  readonly threshold: number;
  readonly dedupPeriodMinutes: number;
  readonly createsAlert: boolean;
};

export const ruleIds: readonly string[] = ['Sim.A', 'Sim.B', 'Sim.C'];

const bothTypes = [logType, otherLogType];
/** Some rules look at one log type only, so that batches may have nothing in common but what their rules remember. */
const logTypesOf: ReadonlyMap<string, readonly string[][]> = new Map([
  ['Sim.A', [[logType], bothTypes]],
  ['Sim.B', [[otherLogType], bothTypes]],
  ['Sim.C', [[logType], [otherLogType], bothTypes]],
]);

export function ruleVariant(kernel: Kernel, id: string): RuleVariant {
  return {
    id,
    hit: kernel.pick(['a', 'b']),
    isEnabled: kernel.chance(0.9),
    isFlaky: kernel.chance(0.3),
    remembers: kernel.chance(0.5),
    logTypes: kernel.pick(logTypesOf.get(id) ?? [[logType, otherLogType]]),
    severity: kernel.pick(['LOW', 'HIGH']),
    threshold: kernel.pick([1, 1, 2, 4]),
    dedupPeriodMinutes: kernel.pick([5, 60]),
    createsAlert: kernel.chance(0.85),
  };
}

/** A rule as the product stores it. */
export const ruleItem = (rule: RuleVariant) => ({
  id: rule.id,
  kind: 'RULE' as const,
  isEnabled: rule.isEnabled,
  body: JSON.stringify({ hit: rule.hit, isFlaky: rule.isFlaky, remembers: rule.remembers } satisfies SimRule),
  spec: {
    AnalysisType: 'rule' as const,
    RuleID: rule.id,
    Enabled: rule.isEnabled,
    Filename: 'x.py',
    LogTypes: rule.logTypes,
    Severity: rule.severity as 'LOW',
    Threshold: rule.threshold,
    DedupPeriodMinutes: rule.dedupPeriodMinutes,
    CreateAlert: rule.createsAlert,
  },
});

/** Tenants, sources, schemas, rules and destinations as they are before anything happens. */
export function seedTenants(kernel: Kernel, tables: Tables, count: number): readonly SimTenant[] {
  const now = new Date(kernel.nowMs - 3_600_000);
  return Array.from({ length: count }, (_, index) => {
    const id = idOf('tenant', String(index));
    const sourceIds = ['s1', 's2'].map((name) => idOf(id, name));
    for (const [place, sourceId] of sourceIds.entries())
      tables.seed('log_sources', {
        tenant_id: id,
        id: sourceId,
        label: 'first',
        log_types: place === 0 ? bothTypes : bothTypes.toReversed(),
        stream_type: 'Lines',
        stream_options: {},
        auth: { method: 'None' },
        secret: null,
        created_at: now,
        updated_at: now,
        last_received_at: null,
        created_by: null,
      });
    // In some schedules many events fit no schema at first, and some a replay later.
    const variant = kernel.chance(0.4) ? 2 : 0;
    for (const name of [logType, otherLogType]) seedSchema(tables, id, schemaSpec(name, variant), name, now);
    for (const ruleId of ruleIds) seedRule(tables, id, ruleVariant(kernel, ruleId), now);
    return { id, sourceIds, destinations: seedDestinations(tables, id, index, now) };
  });
}

/** Puts a rule there, or another one in its place. */
export function seedRule(tables: Tables, tenantId: string, rule: RuleVariant, now: Date): void {
  const { spec, isEnabled, ...item } = ruleItem(rule);
  const times = { created_at: now, updated_at: now };
  const row = { ...item, ...times, is_enabled: isEnabled, specification: spec, version: 1, source: '', updated_by: '' };
  tables.seed('detections', { tenant_id: tenantId, ...row });
  const head = Number(tables.of('content_heads').get(tenantId)?.['head'] ?? 0);
  tables.seed('content_heads', { tenant_id: tenantId, head: String(head + 1) });
}

function seedSchema(tables: Tables, tenantId: string, spec: string, name: string, now: Date): void {
  tables.seed('log_schemas', {
    tenant_id: tenantId,
    name,
    revision: 1,
    version: 1,
    spec,
    description: '',
    reference_url: '',
    is_field_discovery_enabled: false,
    is_archived: false,
    created_at: now,
    updated_at: now,
  });
  tables.seed('log_schema_revisions', { tenant_id: tenantId, name, revision: 1, spec });
}

function seedDestinations(tables: Tables, tenantId: string, index: number, now: Date): readonly SimDestination[] {
  const wanted = [
    { name: 'all', severities: ['LOW', 'HIGH'] },
    { name: 'high', severities: ['HIGH'] },
  ];
  return wanted.map(({ name, severities }) => {
    const id = idOf(tenantId, name);
    const url = `https://receiver.example.com/${index}/${name}`;
    tables.seed('destinations', {
      tenant_id: tenantId,
      id,
      kind: 'WEBHOOK',
      name,
      severities,
      alert_types: [],
      log_types: [],
      is_enabled: true,
      endpoint: 'https://receiver.example.com',
      header_names: [],
      has_secret: false,
      configuration: Buffer.from(JSON.stringify({ url })),
      created_at: now,
      created_by_name: '',
      updated_at: now,
      deleted_at: null,
    });
    return { id, url, severities };
  });
}

/** One event as a sender writes it. */
export type SimEventBody = {
  readonly id: string;
  readonly group: string;
  readonly hit: string;
  readonly at: string;
  readonly refused?: true;
  readonly extra?: string;
};

export function newEvent(kernel: Kernel, id: string, isCrowded: boolean): SimEventBody {
  return {
    id,
    group: kernel.pick(isCrowded ? ['g1'] : ['g1', 'g2']),
    hit: kernel.pick(isCrowded ? ['a', 'b'] : ['a', 'b', 'none']),
    at: new Date(kernel.nowMs - kernel.between(0, 3_600_000)).toISOString(),
    ...(kernel.chance(0.04) ? { refused: true } : {}),
    ...(kernel.chance(0.7) ? { extra: 'more' } : {}),
  };
}
