import type { LakeColumn, LakeColumnType, LakeFamily } from '#lake';
import { familyColumns, standardColumns } from '#lake';
import type { SourceColumn } from '../plan/plan.ts';
import {
  arrayOf,
  booleanType,
  type Fields,
  floatType,
  integerType,
  type SqlType,
  stringType,
  timestampType,
  variantType,
} from '../plan/type.ts';

/** A field as its schema declares it, under the name of its column, with what is inside. */
type SchemaField = {
  readonly name: string;
  readonly type: LakeColumnType;
  readonly description?: string | undefined;
  readonly element?: Omit<SchemaField, 'name'> | undefined;
  readonly fields?: readonly SchemaField[] | undefined;
};

/** What a schema says about the events of a log type. */
export type LogTypeSchema = {
  readonly logType: string;
  readonly description: string;
  readonly fields: readonly SchemaField[];
};

/** A column as users see it. */
export type CatalogueColumn = {
  readonly name: string;
  readonly type: SqlType;
  readonly description: string;
};

const scalars: Readonly<Record<Exclude<LakeColumnType, 'object' | 'array' | 'json'>, SqlType>> = {
  string: stringType,
  int: integerType,
  bigint: integerType,
  float: floatType,
  boolean: booleanType,
  timestamp: timestampType,
};

type Shape = Omit<SchemaField, 'name'>;

const fieldsOf = (fields: readonly SchemaField[]): Fields =>
  new Map(fields.map((field) => [field.name, declaredType(field)]));

/** The type of a value that lies inside another one. */
function declaredType({ type, element, fields }: Shape): SqlType {
  switch (type) {
    case 'json':
      return variantType;
    case 'object':
      return fields === undefined ? { kind: 'object' } : { kind: 'object', fields: fieldsOf(fields) };
    case 'array':
      return arrayOf(element === undefined ? variantType : declaredType(element));
    case 'string':
    case 'int':
    case 'bigint':
    case 'float':
    case 'boolean':
    case 'timestamp':
      return scalars[type];
  }
}

/** The type of a column as the lake holds it: free-form values, and arrays of them, are held as text. */
function columnType(field: Shape): SqlType {
  if (field.type !== 'array') return declaredType(field);
  const element = field.element?.type;
  if (element === undefined || element === 'json' || element === 'array')
    return { kind: 'variant', shape: declaredType(field) };
  return declaredType(field);
}

const shapeOf = ({ type, element }: LakeColumn): Shape => ({
  type,
  ...(element === undefined ? {} : { element: { type: element } }),
});

const standardDescriptions: Readonly<Record<string, string>> = {
  p_event_time: 'When it happened; when it arrived if the event does not say.',
  p_parse_time: 'When it was read.',
  p_log_type: 'Log type of the event.',
  p_row_id: 'Identifies the row.',
  p_source_id: 'Log source it came from.',
  p_source_label: 'Name of that source.',
  p_extra: 'Fields that the schema does not know.',
};

const toColumn = (column: LakeColumn): CatalogueColumn => ({
  name: column.name,
  type: columnType(shapeOf(column)),
  description:
    standardDescriptions[column.name] ??
    (column.name.startsWith('p_any_') ? 'Indicators found anywhere in the event.' : ''),
});

/** Columns that every table of events has. */
export const standardCatalogueColumns: readonly CatalogueColumn[] = standardColumns.map(toColumn);

/** Columns of matches, errors, signals or failures beside the standard ones. `p_event` is given as columns instead. */
export const familyCatalogueColumns = (family: Exclude<LakeFamily, 'logs'>): readonly CatalogueColumn[] =>
  familyColumns[family].filter(({ name }) => name !== 'p_event').map(toColumn);

const lower = (text: string): string => text.toLowerCase();

/**
 * Columns of a log type: what its schema declares and what its table has. Where the table still holds an older type,
 * the table is right.
 */
export function logTypeColumns(
  schema: LogTypeSchema | undefined,
  physical: readonly LakeColumn[],
): readonly CatalogueColumn[] {
  const held = new Map(physical.map((column) => [lower(column.name), column]));
  const declared = (schema?.fields ?? []).map((field): CatalogueColumn => {
    const column = held.get(lower(field.name));
    const isOlder = column !== undefined && column.type !== field.type;
    return {
      name: column?.name ?? field.name,
      type: isOlder ? columnType(shapeOf(column)) : columnType(field),
      description: field.description ?? '',
    };
  });
  const known = new Set(declared.map(({ name }) => lower(name)));
  return [...declared, ...physical.filter(({ name }) => !known.has(lower(name))).map(toColumn)];
}

/** Inside a stored event everything is JSON text; the declared type is what its parts are read as. */
export function insideEvent({ type, ...column }: CatalogueColumn): CatalogueColumn {
  const isNestedList =
    type.kind === 'array' &&
    (type.element.kind === 'object' || type.element.kind === 'array' || type.element.kind === 'variant');
  return { ...column, type: type.kind === 'object' || isNestedList ? { kind: 'variant', shape: type } : type };
}

/** How a source gives a column: from the table, from the stored event, or not at all. */
export function sourceColumn(column: CatalogueColumn, physical: ReadonlySet<string>, isInEvent: boolean): SourceColumn {
  const { name, type } = column;
  if (physical.has(lower(name))) return { name, type, physical: name };
  return isInEvent ? { name, type, eventKey: name } : { name, type };
}
