import { indicatorFields } from './indicator-fields.ts';

/** Kinds of tables a tenant has. `logs` has one per log type; the others are one per tenant and carry `p_log_type`. */
export type LakeFamily = 'logs' | 'rule_matches' | 'rule_errors' | 'signals' | 'classification_failures';

export type LakeColumnType =
  | 'string'
  | 'bigint'
  | 'int'
  | 'float'
  | 'boolean'
  | 'timestamp'
  | 'object'
  | 'array'
  | 'json';

/** A column as schemas declare it; `element` is the type inside an array. */
export type LakeColumn = { readonly name: string; readonly type: LakeColumnType; readonly element?: LakeColumnType };

export type LakeLayout = 'dedicated' | 'pooled';

/** Where a tenant's table lies. In the pooled layout several tenants share it, told apart by `p_tenant_id`. */
export type LakeTable = {
  readonly id: string;
  readonly tenantId: string;
  readonly family: LakeFamily;
  readonly logType: string;
  readonly layout: LakeLayout;
  readonly database: string;
  readonly table: string;
  readonly columns: readonly LakeColumn[];
};

const text = (name: string): LakeColumn => ({ name, type: 'string' });
const list = (name: string): LakeColumn => ({ name, type: 'array', element: 'string' });
const time = (name: string): LakeColumn => ({ name, type: 'timestamp' });

/** Columns of every table of events, before those of its schema. */
export const standardColumns: readonly LakeColumn[] = [
  time('p_event_time'),
  time('p_parse_time'),
  text('p_log_type'),
  text('p_row_id'),
  text('p_source_id'),
  text('p_source_label'),
  ...indicatorFields.map(list),
  { name: 'p_extra', type: 'json' },
];

const ruleColumns: readonly LakeColumn[] = [
  text('p_rule_id'),
  text('p_rule_severity'),
  list('p_rule_tags'),
  text('p_alert_id'),
  text('p_alert_title'),
  text('p_alert_severity'),
  { name: 'p_alert_context', type: 'json' },
  text('p_dedup'),
  { name: 'p_event', type: 'json' },
];

/** Columns that a family has beside the standard ones; those of `logs` come from the schema. */
export const familyColumns: Readonly<Record<Exclude<LakeFamily, 'logs'>, readonly LakeColumn[]>> = {
  rule_matches: ruleColumns,
  signals: ruleColumns,
  rule_errors: [...ruleColumns, text('p_rule_error'), text('p_rule_error_kind'), text('p_rule_error_traceback')],
  classification_failures: [
    text('p_batch_id'),
    { name: 'p_part', type: 'int' },
    { name: 'p_offset', type: 'bigint' },
    text('p_reason'),
    text('p_payload'),
  ],
};

/** `AWS.CloudTrail` → `aws_cloudtrail`: the table name that users write. */
function tableNameOf(logType: string): string {
  return logType.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

/** Database of a tenant that shares none. */
export const dedicatedDatabase = (tenantId: string): string => `t_${tenantId.replaceAll('-', '')}`;

/** Decides where a new table goes: one database per tenant, or shared tables. */
export function placeTable(
  tenantId: string,
  family: LakeFamily,
  logType: string,
  layout: LakeLayout,
): Pick<LakeTable, 'database' | 'table'> {
  const table = family === 'logs' ? `logs_${tableNameOf(logType)}` : family;
  return { database: layout === 'pooled' ? 'pool' : dedicatedDatabase(tenantId), table };
}
