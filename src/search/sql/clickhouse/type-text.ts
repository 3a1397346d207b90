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
import { type Call, problem, textArgument } from '../functions/call.ts';

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
function typeOfText(text: string): SqlType | undefined {
  const word = text.trim();
  const wrapped = /^(nullable|lowcardinality|array)\((.*)\)$/is.exec(word);
  if (wrapped === null) return plain.find(([form]) => form.test(word.toLowerCase()))?.[1];
  const inner = typeOfText(wrapped[2] ?? '');
  return inner !== undefined && wrapped[1]?.toLowerCase() === 'array' ? arrayOf(inner) : inner;
}

/** The type that an argument of a call names. */
export function typeArgument(call: Call, index: number): SqlType {
  const word = textArgument(call, index);
  const type = typeOfText(word);
  if (type === undefined)
    throw problem(
      call,
      `"${word}" is not a type known here.`,
      'Types: String, Int64, Float64, Bool, DateTime, Date, JSON, Array(…).',
    );
  return type;
}
