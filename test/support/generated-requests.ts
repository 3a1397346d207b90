import fc from 'fast-check';
import {
  getNamedType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';

/** Texts that break what handles them carelessly. */
const trickyText = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    "'; DROP TABLE alerts; --",
    '%',
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '{"a":1}',
    '[]',
    'null',
    'NaN',
    '1e999',
    'f'.repeat(32),
    '00000000-0000-0000-0000-000000000000',
    '2026-01-01T00:00:00Z',
    '0000-00-00T00:00:00Z',
    '+275760-09-13T00:00:00Z',
    'a@example.com',
    'AnalysisType: rule\nRuleID: [',
    'select 1',
    'x'.repeat(20_000),
    '🧂'.repeat(500),
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const trickyNumber = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, Number.MAX_SAFE_INTEGER, 1e308, -0.5),
);

/** Any JSON a client can send. */
export const trickyJson: fc.Arbitrary<unknown> = fc.oneof(
  trickyText,
  trickyNumber,
  fc.constant(null),
  fc.boolean(),
  fc.jsonValue({ maxDepth: 3 }),
);

/** What a path or a query parameter may hold; browsers and clients encode it. */
export const trickyParameter = trickyText.map((text) => text.toWellFormed().slice(0, 300));

/** One thing of an object changed, dropped or added; mostly the object stays what it was meant to be. */
export const spoiled = (body: object): fc.Arbitrary<unknown> => {
  const names = [...Object.keys(body), '__proto__', 'extra'];
  return fc.oneof(
    { weight: 1, arbitrary: trickyJson },
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.constantFrom(...names), trickyJson)
        .map(([name, value]) => Object.fromEntries([...Object.entries(body), [name, value]])),
    },
  );
};

/** Values of a scalar: what it is for, and what it is not. */
const scalarValue = (name: string): fc.Arbitrary<unknown> => {
  if (name === 'Int') return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  if (name === 'Float') return trickyNumber;
  if (name === 'Boolean') return fc.boolean();
  if (name === 'JSON') return trickyJson;
  return trickyText;
};

/** A variable of the type; now and then one of another. Optional fields come and go. */
function inputValue(type: GraphQLInputType, depth: number): fc.Arbitrary<unknown> {
  if (isNonNullType(type)) return inputValue(type.ofType, depth);
  if (isListType(type)) return fc.array(inputValue(type.ofType, depth), { maxLength: 3 });
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map(({ name }) => name));
  if (!isInputObjectType(type)) return scalarValue(type.name);
  const all = Object.values(type.getFields());
  const wanted = depth > 0 ? all : all.filter((field) => isNonNullType(field.type));
  const requiredKeys = wanted.filter((field) => isNonNullType(field.type)).map(({ name }) => name);
  const values = Object.fromEntries(wanted.map((field) => [field.name, inputValue(field.type, depth - 1)]));
  return fc.record(values, { requiredKeys });
}

type Selectable = {
  readonly name: string;
  readonly type: GraphQLOutputType;
  readonly args: readonly { readonly type: unknown }[];
};

/** Everything of a type that needs no argument, to a depth: what a generator of clients would ask for. */
export function selectionOf(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isUnionType(named)) return ' { __typename }';
  if (!isObjectType(named) && !isInterfaceType(named)) return '';
  const fields = (Object.values(named.getFields()) as Selectable[])
    .filter((field) => field.args.every((arg) => !isNonNullType(arg.type)))
    .map((field) => {
      const inner = getNamedType(field.type);
      const isNested = isObjectType(inner) || isInterfaceType(inner);
      return isNested && depth === 0 ? '' : `${field.name}${selectionOf(field.type, depth - 1)}`;
    });
  return ` { __typename ${fields.join(' ')} }`;
}

/** Requests of one root field: its whole answer asked for, its arguments made up. */
export function requestsOf(kind: 'query' | 'mutation', field: GraphQLField<unknown, unknown>) {
  const head = field.args.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const given = field.args.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const inParentheses = (text: string) => (text === '' ? '' : `(${text})`);
  const query = `${kind} ${inParentheses(head)} { ${field.name}${inParentheses(given)}${selectionOf(field.type, 2)} }`;
  const good = fc.record(Object.fromEntries(field.args.map((arg) => [arg.name, inputValue(arg.type, 3)])));
  const wrong = fc.record(Object.fromEntries(field.args.map((arg) => [arg.name, trickyJson])));
  return fc
    .oneof({ weight: 4, arbitrary: good }, { weight: 1, arbitrary: wrong })
    .map((variables) => JSON.stringify({ query, variables }));
}
