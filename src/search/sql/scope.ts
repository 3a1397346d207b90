import { didYouMean } from '../language/near-names.ts';
import { SqlProblem } from '../language/sql-problem.ts';
import type { Expr, Relation } from '../plan/plan.ts';
import { type Identifier, matches } from './node.ts';

export type ScopeColumn = {
  readonly name: string;
  readonly expr: Expr;
  /** Reachable by its qualified name only: the other side of USING, or a helper such as the index of a flattened list. */
  readonly isHidden?: boolean;
};

/** A relation of a FROM clause as expressions see it. */
export type ScopeTable = {
  readonly name: string;
  /** The dotted name it was read by, which may qualify its columns too. */
  readonly path: readonly string[];
  readonly columns: readonly ScopeColumn[];
};

/** Everything that names may mean at one place of a query. */
export type Scope = {
  readonly tables: readonly ScopeTable[];
  /** Names given in the same select list; columns of the tables come first. */
  readonly alias?: ((name: Identifier) => Expr | undefined) | undefined;
  readonly parent?: Scope | undefined;
};

/** What a FROM clause reads, and what its names mean. */
export type From = { readonly relation: Relation; readonly tables: readonly ScopeTable[] };

export const emptyScope: Scope = { tables: [] };

const sameText = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function columnIn(table: ScopeTable, name: Identifier, withHidden: boolean): ScopeColumn | undefined {
  const visible = table.columns.filter((column) => withHidden || !column.isHidden);
  const found = visible.find((column) => matches(name, column.name));
  return found ?? (name.isQuoted ? visible.find((column) => sameText(name.text, column.name)) : undefined);
}

function unqualified(scope: Scope, name: Identifier): Expr | undefined {
  const found = scope.tables.flatMap((table) => {
    const column = columnIn(table, name, false);
    return column === undefined ? [] : [{ table, column }];
  });
  if (found.length > 1)
    throw new SqlProblem(
      `"${name.text}" is in more than one table: ${found.map(({ table }) => table.name).join(', ')}.`,
      {
        place: name.place,
        suggestion: `Write ${found[0]?.table.name}.${name.text}.`,
      },
    );
  return found[0]?.column.expr ?? scope.alias?.(name);
}

/** How many parts of the name say which table: its alias, or a tail of its dotted name. */
function qualifierLength(table: ScopeTable, parts: readonly Identifier[]): number {
  if (parts[0] !== undefined && matches(parts[0], table.name)) return 1;
  for (let length = Math.min(table.path.length, parts.length - 1); length > 0; length--) {
    const tail = table.path.slice(table.path.length - length);
    if (tail.every((text, index) => sameText(text, parts[index]?.text ?? ''))) return length;
  }
  return 0;
}

export type Resolved = { readonly expr: Expr; readonly rest: readonly Identifier[] };

function resolveHere(scope: Scope, parts: readonly Identifier[]): Resolved | undefined {
  for (const table of scope.tables) {
    const length = qualifierLength(table, parts);
    const name = parts[length];
    if (length === 0 || name === undefined) continue;
    const column = columnIn(table, name, true);
    if (column !== undefined) return { expr: column.expr, rest: parts.slice(length + 1) };
    if (scope.tables.filter((other) => qualifierLength(other, parts) > 0).length > 1) continue;
    throw new SqlProblem(`"${table.name}" has no column "${name.text}".`, {
      place: name.place,
      suggestion: didYouMean(
        name.text,
        table.columns.map((item) => item.name),
      ),
    });
  }
  const [first, ...rest] = parts;
  const expr = first === undefined ? undefined : unqualified(scope, first);
  return expr === undefined ? undefined : { expr, rest };
}

function allNames(scope: Scope | undefined): readonly string[] {
  if (scope === undefined) return [];
  return [...scope.tables.flatMap((table) => table.columns.map(({ name }) => name)), ...allNames(scope.parent)];
}

/** What a dotted name means, and the parts after the column: keys inside it. Throws SqlProblem with near names. */
export function resolve(scope: Scope, parts: readonly Identifier[]): Resolved {
  for (let here: Scope | undefined = scope; here !== undefined; here = here.parent) {
    const found = resolveHere(here, parts);
    if (found !== undefined) return found;
  }
  const name = parts.map(({ text }) => text).join('.');
  const place = parts[0]?.place;
  const last = parts.at(-1)?.text ?? name;
  throw new SqlProblem(`there is no column "${name}".`, { place, suggestion: didYouMean(last, allNames(scope)) });
}
