import { z } from 'zod';
import { badInput } from '#platform/errors';

/** One query parameter: how it is read, and how the API document shows it. An empty value means that it is not set. */
type Parameter<Value> = {
  readonly read: (name: string, raw: readonly string[]) => Value;
  readonly isRequired: boolean;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly about: string;
};

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

export type ValuesOf<P extends Parameters> = { readonly [Name in keyof P]: ReturnType<P[Name]['read']> };

const jsonSchema = (schema: z.ZodType): Record<string, unknown> => {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

function check<Schema extends z.ZodType>(schema: Schema, name: string, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw badInput(name, `${name}: ${result.error.issues[0]?.message ?? 'is not valid'}`);
}

const text = z.string().max(1000, 'has more than 1000 characters');

/** A value that may be absent. */
export function optional<Schema extends z.ZodType>(
  schema: Schema,
  about: string,
): Parameter<z.output<Schema> | undefined> {
  return {
    read: (name, raw) => (raw[0] === undefined ? undefined : check(schema, name, raw[0])),
    isRequired: false,
    schema: jsonSchema(schema),
    about,
  };
}

export const optionalText = (about: string) => optional(text, about);

export function requiredText(about: string): Parameter<string> {
  return {
    read: (name, raw) => check(text.min(1), name, raw[0] ?? badMissing(name)),
    isRequired: true,
    schema: { type: 'string', minLength: 1, maxLength: 1000 },
    about,
  };
}

function badMissing(name: string): never {
  throw badInput(name, `${name}: is needed`);
}

/** Values under the same name, any of which suffices. */
export function list<Schema extends z.ZodType>(item: Schema, about: string): Parameter<readonly z.output<Schema>[]> {
  return {
    read: (name, raw) => {
      if (raw.length > 100) throw badInput(name, `${name}: takes at most 100 values`);
      return raw.map((value) => check(item, name, value));
    },
    isRequired: false,
    schema: { type: 'array', maxItems: 100, items: jsonSchema(item) },
    about,
  };
}

export const textList = (about: string) => list(text, about);

/** One value with commas in it. */
export function commaList(about: string): Parameter<readonly string[]> {
  return {
    read: (name, raw) =>
      check(text.optional(), name, raw[0])
        ?.split(',')
        .filter((part) => part !== '') ?? [],
    isRequired: false,
    schema: { type: 'string', maxLength: 1000 },
    about,
  };
}

type Bounds = { readonly min: number; readonly max: number };

export function integer({ min, max }: Bounds, about: string): Parameter<number | undefined> {
  return {
    read: (name, [raw]) => {
      if (raw === undefined) return undefined;
      const value = /^-?\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN;
      if (value >= min && value <= max) return value;
      throw badInput(name, `${name}: must be a whole number between ${min} and ${max}`);
    },
    isRequired: false,
    schema: { type: 'integer', minimum: min, maximum: max },
    about,
  };
}

/** Size of a page. */
export function limit(size: { readonly usual: number; readonly max: number }): Parameter<number> {
  const bounded = integer({ min: 1, max: size.max }, 'How many.');
  return {
    ...bounded,
    read: (name, raw) => bounded.read(name, raw) ?? size.usual,
    schema: { ...bounded.schema, default: size.usual },
  };
}

export function flag(about: string): Parameter<boolean | undefined> {
  return {
    read: (name, [raw]) => {
      if (raw === undefined) return undefined;
      if (raw === 'true' || raw === 'false') return raw === 'true';
      throw badInput(name, `${name}: must be true or false`);
    },
    isRequired: false,
    schema: { type: 'boolean' },
    about,
  };
}

/** Reads all parameters; what is not one of them is ignored. */
export function readQuery<P extends Parameters>(parameters: P, query: unknown): ValuesOf<P> {
  const given: Record<string, unknown> = typeof query === 'object' && query !== null ? { ...query } : {};
  const values = Object.entries(parameters).map(([name, parameter]) => {
    const raw = given[name];
    const texts = (Array.isArray(raw) ? raw : [raw]).filter((value) => typeof value === 'string' && value !== '');
    return [name, parameter.read(name, texts as string[])];
  });
  return Object.fromEntries(values) as ValuesOf<P>;
}
