import type { MatchExpression } from '../../content/types/match-expression.ts';
import { compileFilters } from '../compile.ts';
import { SimpleError } from '../simple-error.ts';

/** A filter in the form that command lines evaluate: a condition on a JMESPath, or several combined. */
type FilterStatement =
  | { readonly target: string; readonly operator: string; readonly value?: unknown }
  | { readonly and: readonly FilterStatement[] }
  | { readonly or: readonly FilterStatement[] }
  | { readonly not: readonly FilterStatement[] };

/** Conditions by the operators of that form; where it has none, the way around. */
const operators: Readonly<Record<string, string>> = {
  Equals: '==',
  DoesNotEqual: '!=',
  IEquals: 'insensitive_equals',
  DoesNotIEqual: '!insensitive_equals',
  Contains: 'contains',
  DoesNotContain: '!contains',
  IContains: 'insensitive_contains',
  DoesNotIContain: '!insensitive_contains',
  StartsWith: 'starts_with',
  DoesNotStartWith: '!starts_with',
  IStartsWith: 'insensitive_starts_with',
  DoesNotIStartWith: '!insensitive_starts_with',
  EndsWith: 'ends_with',
  DoesNotEndWith: '!ends_with',
  IEndsWith: 'insensitive_ends_with',
  Has: 'contains',
  DoesNotIEndWith: '!insensitive_ends_with',
  DoesNotHave: '!contains',
  IsIn: 'in',
  IsNotIn: '!in',
  IsGreaterThan: '>',
  IsGreaterThanOrEqual: '>=',
  IsGreaterThanOrEquals: '>=',
  IsLessThan: '<',
  IsLessThanOrEqual: '<=',
  IsLessThanOrEquals: '<=',
  IsNullOrEmpty: 'empty',
  IsNotNullOrEmpty: '!empty',
  IsIPAddressInCIDR: 'in_cidr',
  IsIPAddressNotInCIDR: '!in_cidr',
  IsIPAddressPublic: 'is_public',
  IsIPAddressPrivate: 'is_private',
};
const nulls: Readonly<Record<string, string>> = { Exists: '!=', IsNotNull: '!=', DoesNotExist: '==', IsNull: '==' };

const plainName = /^\w+$/;
const quoted = (name: string): string => (plainName.test(name) ? name : JSON.stringify(name));

/** `a.b-c[0].d` with the names quoted that JMESPath would not read. */
function targetOf(text: string): string {
  return text
    .split(/(\[(?:\*|-?\d+)\])|\./)
    .filter((part) => part !== undefined && part !== '')
    .map((part, index) => (part.startsWith('[') ? part : `${index === 0 ? '' : '.'}${quoted(part)}`))
    .join('');
}

function enrichmentTarget({ Table, Selector, FieldPath }: NonNullable<MatchExpression['Enrichment']>): string {
  return `p_enrichment.${quoted(Table)}.${quoted(Selector)}.${targetOf(FieldPath)}`;
}

function statementOf(expression: MatchExpression): FilterStatement {
  if (expression.All) return { and: expression.All.map(statementOf) };
  if (expression.Any) return { or: expression.Any.map(statementOf) };
  const { Condition = '', KeyPath, Enrichment } = expression;
  const target = Enrichment ? enrichmentTarget(Enrichment) : targetOf(KeyPath ?? '');
  const isNull = nulls[Condition];
  // The form cannot tell a field that is absent from one that is null; both let the event pass, as absence does.
  const absent: FilterStatement = { target, operator: '==', value: null };
  if (isNull !== undefined) return { or: [{ target, operator: isNull, value: null }, absent] };
  const operator = operators[Condition];
  if (operator === undefined)
    throw new SimpleError('notInFilter', ['InlineFilters'], `${Condition} has no counterpart in unit tests of others`);
  const value = expression.Values ?? expression.Value;
  return { or: [absent, { target, operator, ...(value === undefined ? {} : { value }) }] };
}

/** `InlineFilters` as JSON text. Throws SimpleError, as compiling them does. */
export function transpileFilters(expressions: readonly MatchExpression[]): string {
  compileFilters(expressions);
  return JSON.stringify({ statement: { and: expressions.map(statementOf) } });
}
