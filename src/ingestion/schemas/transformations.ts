import { createHash } from 'node:crypto';
import type { FieldSpec } from './schema-spec.ts';

type Event = Record<string, unknown>;
type Step = (event: Event) => void;

/** Value at a dotted path, a key with dots in its name first. */
function at(event: Event, path: string): unknown {
  if (Object.hasOwn(event, path)) return event[path];
  let value: unknown = event;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Event)[key];
  }
  return value;
}

const textOf = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : typeof value === 'object' && value !== null
      ? JSON.stringify(value)
      : String(value);

function stepsOf(field: FieldSpec): Step[] {
  const { name, rename, copy, concat, split, mask } = field;
  const steps: Step[] = [];
  if (rename)
    steps.push((event) => {
      if (!Object.hasOwn(event, rename.from)) return;
      event[name] = event[rename.from];
      if (rename.from !== name) delete event[rename.from];
    });
  if (copy)
    steps.push((event) => {
      const value = at(event, copy.from);
      if (value !== undefined && value !== null) event[name] = value;
    });
  if (concat)
    steps.push((event) => {
      const parts = concat.paths
        .map((path) => at(event, path))
        .filter((value) => value !== undefined && value !== null);
      if (parts.length > 0) event[name] = parts.map(textOf).join(concat.separator ?? '');
    });
  if (split)
    steps.push((event) => {
      const value = at(event, split.from);
      const part = typeof value === 'string' ? value.split(split.separator)[split.index] : undefined;
      if (part !== undefined) event[name] = part;
    });
  if (mask)
    steps.push((event) => {
      const value = event[name];
      if (value === undefined || value === null) return;
      event[name] =
        mask.type === 'redact'
          ? (mask.to ?? 'REDACTED')
          : createHash('sha256')
              .update(textOf(value) + (mask.salt ?? ''))
              .digest('hex');
    });
  return steps;
}

/**
 * The transformations of all top-level fields as one function on a shallow copy of the event: rename, copy, concat,
 * split, mask, each kind for all fields in schema order. Undefined when the schema has none.
 */
export function transformerOf(fields: readonly FieldSpec[]): ((event: Event) => Event) | undefined {
  const kinds = ['rename', 'copy', 'concat', 'split', 'mask'] as const;
  const steps = kinds.flatMap((kind) =>
    fields.flatMap((field) =>
      field[kind] ? stepsOf({ name: field.name, type: field.type, [kind]: field[kind] }) : [],
    ),
  );
  if (steps.length === 0) return undefined;
  return (event) => {
    const copy: Event = Object.assign(Object.create(null), event);
    for (const step of steps) step(copy);
    return copy;
  };
}
