import type { SqlType } from '../plan/type.ts';

const scalarNames = {
  string: 'String',
  integer: 'Int64',
  float: 'Float64',
  boolean: 'Bool',
  timestamp: "DateTime64(3, 'UTC')",
  date: 'Date32',
  variant: 'String',
} as const;

/** How the engine holds values of a type. Arrays and objects cannot be NULL there; both are empty instead. */
export function engineType(type: SqlType): string {
  switch (type.kind) {
    case 'array':
      return `Array(${engineType(type.element)})`;
    case 'object':
      return 'JSON';
    case 'null':
    case 'interval':
      return 'Nullable(String)';
    case 'string':
    case 'integer':
    case 'float':
    case 'boolean':
    case 'timestamp':
    case 'date':
    case 'variant':
      return `Nullable(${scalarNames[type.kind]})`;
  }
}

/** A text as a literal of the engine. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}

/** A name as an identifier of the engine. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}

/** NULL of a type, or what stands for it. */
export function engineNull(type: SqlType): string {
  if (type.kind === 'array') return `CAST([], ${quote(engineType(type))})`;
  if (type.kind === 'object') return "CAST('{}', 'JSON')";
  return type.kind === 'null' ? 'NULL' : `CAST(NULL, ${quote(engineType(type))})`;
}

/** A moment as a literal of the engine. */
export function engineTime(at: Date, type: SqlType): string {
  const text = at.toISOString().replace('T', ' ').replace('Z', '');
  return type.kind === 'date' ? `toDate32('${text.slice(0, 10)}')` : `toDateTime64('${text}', 3, 'UTC')`;
}
