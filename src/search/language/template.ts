import { SqlProblem } from './sql-problem.ts';

/**
 * Templated searches: macros kept in one search and used in others. A search whose text holds `-- pragma: template` is
 * expanded before it is read as SQL. Values are pasted as text, as their authors expect.
 */

type Macro = { readonly parameters: readonly string[]; readonly body: string };

const pragma = /^\s*--\s*pragma:\s*template\s*$/m;
const macroBlock = /\{%-?\s*macro\s+(\w+)\s*\(([^)]*)\)\s*(?:export\s*)?-?%\}([\s\S]*?)\{%-?\s*endmacro\s*-?%\}/g;
const importTag = /\{%-?\s*import\s+(['"])(.+?)\1\s+([^%]+?)\s*-?%\}/g;
const setTag = /\{%-?\s*set\s+(\w+)\s*=\s*(['"])(.*?)\2\s*-?%\}/g;
const output = /\{\{-?\s*(\w+)\s*(?:\(([\s\S]*?)\))?\s*-?\}\}/g;
const depthMax = 20;
const charactersMax = 1_000_000;

const isTemplate = (text: string): boolean => pragma.test(text);

function macrosOf(text: string): ReadonlyMap<string, Macro> {
  const found = new Map<string, Macro>();
  for (const [, name = '', parameters = '', body = ''] of text.matchAll(macroBlock))
    found.set(name, {
      parameters: parameters
        .split(',')
        .map((parameter) => parameter.trim())
        .filter((parameter) => parameter !== ''),
      body,
    });
  return found;
}

/** Arguments of a call: texts in quotes, numbers, or names of what is in force. */
function readArguments(text: string, values: ReadonlyMap<string, string>): readonly string[] {
  return [...text.matchAll(/'([^']*)'|"([^"]*)"|([^,\s]+)/g)].map(
    ([, single, double, word = '']) => single ?? double ?? values.get(word) ?? word,
  );
}

function expand(
  text: string,
  macros: ReadonlyMap<string, Macro>,
  values: ReadonlyMap<string, string>,
  depth: number,
): string {
  if (depth > depthMax) throw new SqlProblem('Macros call one another without end.');
  const expanded = text.replaceAll(output, (_all, name: string, call: string | undefined) => {
    if (call === undefined) {
      const value = values.get(name);
      if (value === undefined)
        throw new SqlProblem(`The template does not say what "${name}" is.`, {
          suggestion: `Write {% set ${name} = '…' %}.`,
        });
      return value;
    }
    const macro = macros.get(name);
    if (macro === undefined)
      throw new SqlProblem(`There is no macro "${name}".`, {
        suggestion: `Write {% import 'name of a saved search' ${name} %}.`,
      });
    const given = readArguments(call, values);
    if (given.length !== macro.parameters.length)
      throw new SqlProblem(`The macro "${name}" takes ${macro.parameters.length} values, not ${given.length}.`);
    const inner = new Map([
      ...values,
      ...macro.parameters.map((parameter, index) => [parameter, given[index] ?? ''] as const),
    ]);
    return expand(macro.body, macros, inner, depth + 1);
  });
  if (expanded.length > charactersMax) throw new SqlProblem('The template grows beyond a million characters.');
  return expanded;
}

/** `a, b as c`: names of macros and how they are called here. */
function importedNames(list: string): readonly (readonly [name: string, alias: string])[] {
  return list.split(',').map((part) => {
    const [, name = '', alias] = /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(part) ?? [];
    if (name === '') throw new SqlProblem(`"${part.trim()}" is not the name of a macro.`);
    return [name, alias ?? name] as const;
  });
}

/** Names of the saved searches that a text imports macros from. */
export function importedSearches(text: string): readonly string[] {
  return isTemplate(text) ? [...text.matchAll(importTag)].map(([, , search = '']) => search) : [];
}

/**
 * The text with its macros, imports and values put in; a text without the pragma comes back as it is. `find` gives the
 * text of a saved search by its name. Throws SqlProblem for what is missing.
 */
export function expandTemplate(text: string, find: (name: string) => string | undefined): string {
  if (!isTemplate(text)) return text;
  const macros = new Map(macrosOf(text));
  for (const [, , search = '', list = ''] of text.matchAll(importTag)) {
    const source = find(search);
    if (source === undefined) throw new SqlProblem(`There is no saved search "${search}" to import from.`);
    const offered = macrosOf(source);
    for (const [name, alias] of importedNames(list)) {
      const macro = offered.get(name);
      if (macro === undefined) throw new SqlProblem(`The saved search "${search}" has no macro "${name}".`);
      macros.set(alias, macro);
    }
  }
  const values = new Map([...text.matchAll(setTag)].map(([, name = '', , value = '']) => [name, value]));
  const body = text.replaceAll(macroBlock, '').replaceAll(importTag, '').replaceAll(setTag, '');
  const tag = /\{%-?\s*(\w+)/.exec(body);
  if (tag !== null)
    throw new SqlProblem(`The template tag "${tag[1]}" is not supported.`, { suggestion: 'Tags: import, macro, set.' });
  return expand(body, macros, values, 0);
}
