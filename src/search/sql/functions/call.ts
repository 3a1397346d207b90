import { type Place, SqlProblem } from '../../language/sql-problem.ts';
import { unitOf } from '../../language/time-text.ts';
import type { Expr, OrderItem, TimeUnit, Window } from '../../plan/plan.ts';
import type { SqlType } from '../../plan/type.ts';
import type { Binder, Place as BindPlace } from '../binder.ts';
import { literalInteger, literalText } from '../coerce.ts';
import { identifierOf, nodeOf, tagged } from '../node.ts';

/** One call of a function while it is bound. Arguments are bound when they are asked for. */
export type Call = {
  readonly name: string;
  readonly place: Place | undefined;
  readonly nodes: readonly unknown[];
  readonly named: ReadonlyMap<string, unknown>;
  /** `quantile(0.9)(x)`: what stands in the first parentheses. */
  readonly parameters: readonly unknown[];
  readonly isDistinct: boolean;
  /** `count(*)`. */
  readonly isStar: boolean;
  readonly withinGroup: readonly OrderItem[];
  readonly over?: Window | undefined;
  readonly binder: Binder;
  readonly at: BindPlace;
};

export type FunctionDefinition = {
  readonly kind: 'scalar' | 'aggregate' | 'window';
  readonly least: number;
  readonly most: number;
  readonly takesParameters?: boolean;
  bind(call: Call): Expr;
};

/** Definitions by name, upper-case as plans have them. */
export type Functions = ReadonlyMap<string, FunctionDefinition>;

export function problem(call: Call, message: string, suggestion?: string): SqlProblem {
  return new SqlProblem(`${call.name}: ${message}`, { place: call.place, suggestion });
}

/** The bound argument at a position. Throws SqlProblem when the call has fewer. */
export function argument(call: Call, index: number): Expr {
  const node = call.nodes[index];
  if (node === undefined) throw problem(call, `argument ${index + 1} is missing.`);
  return call.binder.expr(node, call.at);
}

export const allArguments = (call: Call): readonly Expr[] => call.nodes.map((_, index) => argument(call, index));

/** A bare word, or the text in its place. */
export function wordArgument(call: Call, index: number): string {
  const node = call.nodes[index];
  const { tag, body } = node === undefined ? { tag: '', body: undefined } : tagged(node);
  if (tag === 'Identifier') return identifierOf(body).text;
  const value = tag === 'Value' ? tagged(nodeOf(body)['value']).body : undefined;
  return typeof value === 'string' ? value : '';
}

/** A unit of time, written as a bare word or as text. */
export function unitArgument(call: Call, index: number): TimeUnit {
  const word = wordArgument(call, index);
  const unit = unitOf(word);
  if (unit === undefined)
    throw problem(
      call,
      `"${word}" is not a unit of time.`,
      'Units: second, minute, hour, day, week, month, quarter, year.',
    );
  return unit;
}

/** A text that must stand in the statement itself, such as a pattern's options. */
export function textArgument(call: Call, index: number): string {
  const text = literalText(argument(call, index));
  if (text === undefined) throw problem(call, `argument ${index + 1} must be a text written in the statement.`);
  return text;
}

export function integerArgument(call: Call, index: number): number {
  const value = literalInteger(argument(call, index));
  if (value === undefined)
    throw problem(call, `argument ${index + 1} must be a whole number written in the statement.`);
  return value;
}

type Extra = { readonly unit?: TimeUnit; readonly isDistinct?: boolean; readonly orderBy?: readonly OrderItem[] };

/** The bound call of a function that the printer knows by this name. */
export function called(call: Call, name: string, args: readonly Expr[], type: SqlType, extra: Extra = {}): Expr {
  return { node: 'call', name, args, type, ...extra, ...(call.over === undefined ? {} : { over: call.over }) };
}

export const scalar = (least: number, most: number, bind: (call: Call) => Expr): FunctionDefinition => ({
  kind: 'scalar',
  least,
  most,
  bind,
});
export const aggregate = (least: number, most: number, bind: (call: Call) => Expr): FunctionDefinition => ({
  kind: 'aggregate',
  least,
  most,
  bind,
});
export const windowed = (least: number, most: number, bind: (call: Call) => Expr): FunctionDefinition => ({
  kind: 'window',
  least,
  most,
  bind,
});
