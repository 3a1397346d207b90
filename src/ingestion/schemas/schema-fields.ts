import type { TenantTx } from '#platform/postgres';
import { columnName } from './decoders.ts';
import { managedSchemas } from './managed-schemas.ts';
import { type FieldSpec, readSchemaSpec, type SchemaSpec, type ValueSpec } from './schema-spec.ts';
import { listOwnSchemas } from './schema-store.ts';

type FieldType = 'string' | 'bigint' | 'int' | 'float' | 'boolean' | 'timestamp' | 'object' | 'array' | 'json';

type FieldShape = {
  readonly type: FieldType;
  readonly description?: string;
  /** What an array holds. */
  readonly element?: FieldShape;
  /** What an object holds. */
  readonly fields?: readonly DeclaredField[];
};

/** A field of a schema under the name that its column has, with what is inside. */
type DeclaredField = FieldShape & { readonly name: string };

type Definitions = NonNullable<SchemaSpec['definitions']>;

const fieldTypeOf = (type: Exclude<ValueSpec['type'], 'ref'>): FieldType => (type === 'smallint' ? 'int' : type);

function shapeOf(spec: ValueSpec, definitions: Definitions): FieldShape {
  if (spec.type === 'ref') return shapeOf(definitions[spec.target ?? ''] ?? { type: 'json' }, definitions);
  return {
    type: fieldTypeOf(spec.type),
    ...(spec.element === undefined ? {} : { element: shapeOf(spec.element, definitions) }),
    ...(spec.fields === undefined ? {} : { fields: spec.fields.map((field) => fieldOf(field, definitions)) }),
  };
}

const fieldOf = (field: FieldSpec, definitions: Definitions): DeclaredField => ({
  name: columnName(field.name),
  ...(field.description === undefined ? {} : { description: field.description }),
  ...shapeOf(field, definitions),
});

type LogTypeFields = {
  readonly logType: string;
  readonly description: string;
  readonly fields: readonly DeclaredField[];
};

let managed: readonly LogTypeFields[] | undefined;

const managedFields = (): readonly LogTypeFields[] =>
  [...managedSchemas().values()].map(({ name, description, specText }) => {
    let fields: readonly DeclaredField[] | undefined;
    return {
      logType: name,
      description,
      /** Read when first asked for: a question names few of the log types. */
      get fields() {
        return (fields ??= schemaFields(specText));
      },
    };
  });

/** What is declared of every log type of a tenant, managed and its own. */
export async function logTypeSchemas(tx: TenantTx): Promise<readonly LogTypeFields[]> {
  managed ??= managedFields();
  const own = await listOwnSchemas(tx);
  return [
    ...managed,
    ...own.map(({ name, description, spec }) => ({ logType: name, description, fields: schemaFields(spec) })),
  ];
}

/** Fields that a schema declares, references followed. Empty for a text that is no schema; `compileSchema` says why. */
export function schemaFields(text: string): readonly DeclaredField[] {
  const read = readSchemaSpec(text);
  return 'problems' in read ? [] : read.spec.fields.map((field) => fieldOf(field, read.spec.definitions ?? {}));
}
