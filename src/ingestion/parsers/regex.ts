import { setFlagsFromString } from 'node:v8';
import { RE2JS } from 're2js';
import type { RegexSpec } from '../schemas/schema-spec.ts';
import { grokPatterns } from './grok.ts';
import type { LineReader } from './line-reader.ts';

const nestingMax = 20;

/** Replaces `%{NAME}` and `%{NAME:field}` until none is left. */
function expandGrok(source: string, own: Readonly<Record<string, string>>): string {
  let text = source;
  for (let depth = 0; text.includes('%{'); depth++) {
    if (depth > nestingMax) throw new Error('regex: the pattern definitions refer to one another without end');
    text = text.replaceAll(/%\{\s*([A-Za-z0-9_]+)(?::([^}]+))?\s*\}/g, (_, name: string, field: string | undefined) => {
      const pattern = own[name] ?? grokPatterns[name];
      if (pattern === undefined)
        throw new Error(`regex: there is no pattern named ${name}; define it under patternDefinitions`);
      return field === undefined ? `(?:${pattern})` : `(?P<${field.trim()}>${pattern})`;
    });
    if (text.length > 100_000) throw new Error('regex: the expanded pattern is too long');
  }
  return text;
}

/** Constructs that JavaScript reads differently from RE2; patterns with them take the slower engine. */
const onlyRe2 = /\\[AzQECpP]|\[\[:|\(\?[imsU-]|\\x\{|\(\?<?[^:P<]/;

// V8 then changes over to its linear engine when a match backtracks too much, and knows the flag `l` for that engine.
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString('--enable-experimental-regexp-engine');

/** V8's expression, if it reads the pattern as RE2 does and its linear engine can take over. */
function compileFast(source: string): RegExp | undefined {
  if (onlyRe2.test(source)) return undefined;
  const translated = source.replaceAll('(?P<', '(?<');
  try {
    const linear = 'l';
    RegExp(translated, linear);
    return new RegExp(translated);
  } catch {
    return undefined;
  }
}

/** Matches in linear time whatever the pattern and the line: RE2 decides, V8 only where it cannot blow up. */
export function regexFields(spec: RegexSpec): LineReader {
  const source = expandGrok(spec.match.join(''), spec.patternDefinitions ?? {});
  const exact = compileRe2(source);
  const names = Object.keys(exact.namedGroups());
  if (names.length === 0) throw new Error('regex: the pattern names no field; use (?P<field>…)');
  const fast = compileFast(source);
  const readFast = (line: string, expression: RegExp) => {
    const groups = expression.exec(line)?.groups;
    return groups && new Map(names.map((name) => [name, groups[name] ?? '']));
  };
  const readExact = (line: string) => {
    const matcher = exact.matcher(line);
    return matcher.find() ? new Map(names.map((name) => [name, matcher.group(name) ?? ''])) : undefined;
  };
  return (line) => (fast !== undefined ? readFast(line, fast) : readExact(line));
}

function compileRe2(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    throw new Error(`regex: ${error instanceof Error ? error.message : 'the pattern cannot be compiled'}`, {
      cause: error,
    });
  }
}
