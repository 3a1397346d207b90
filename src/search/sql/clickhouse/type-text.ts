import {
  arrayOf,
  booleanType,
  dateType,
  floatType,
  integerType,
  type SqlType,
  stringType,
  timestampType,
  variantType,
} from '../../plan/type.ts';

const plain: readonly (readonly [form: RegExp, type: SqlType])[] = [
  [/^u?int(8|16|32|64)$/, integerType],
  [/^(float(32|64)|decimal(32|64|128)?\(.*\))$/, floatType],
  [/^(string|uuid|ipv4|ipv6|fixedstring\(\d+\)|enum(8|16)\(.*\))$/, stringType],
  [/^bool(ean)?$/, booleanType],
  [/^datetime(64)?(\(.*\))?$/, timestampType],
  [/^date(32)?$/, dateType],
  [/^json(\(.*\))?$/, variantType],
];

/** The type that a text such as `Array(Nullable(Int64))` names; undefined when there is none. Values may always be NULL. */
export function typeOfText(text: string): SqlType | undefined {
  const word = text.trim();
  const wrapped = /^(nullable|lowcardinality|array)\((.*)\)$/is.exec(word);
  if (wrapped === null) return plain.find(([form]) => form.test(word.toLowerCase()))?.[1];
  const inner = typeOfText(wrapped[2] ?? '');
  return inner !== undefined && wrapped[1]?.toLowerCase() === 'array' ? arrayOf(inner) : inner;
}
