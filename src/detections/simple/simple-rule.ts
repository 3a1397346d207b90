import type { RuleSpec, ScheduledRuleSpec } from '../content/content-item.ts';
import { compileDetection, type Predicate } from './compile.ts';
import { SimpleError } from './simple-error.ts';
import { getterOf, pathGetter, textOf } from './values.ts';

/** A detection in YAML, ready to run: the match, and what the alert says. */
export type SimpleRule = {
  readonly matches: Predicate;
  readonly title: (event: unknown) => string | undefined;
  readonly dedup: (event: unknown) => string | undefined;
  readonly severity: (event: unknown) => RuleSpec['Severity'];
  /** JSON text. */
  readonly context: (event: unknown) => string;
};

const textMax = 1000;
const contextMax = 200 * 1024;
const tail = '... (truncated)';
const cut = (text: string): string =>
  text.length <= textMax ? text : `${text.slice(0, textMax - tail.length)}${tail}`;

/** `{a.b}` in a title is replaced by the value there; what is missing by nothing. */
function compileTitle(template: string | undefined): SimpleRule['title'] {
  if (template === undefined) return () => undefined;
  const parts = template.split(/\{([^{}]+)\}/);
  const getters = parts.map((part, index) => (index % 2 === 1 ? pathGetter(part.trim(), ['AlertTitle']) : undefined));
  return (event) =>
    cut(
      parts
        .map((part, index) => {
          const get = getters[index];
          return get ? textOf(get(event).value) : part;
        })
        .join(''),
    );
}

function compileGroupBy(spec: RuleSpec | ScheduledRuleSpec): SimpleRule['dedup'] {
  if (spec.GroupBy === undefined || spec.GroupBy.length === 0) return () => undefined;
  const getters = spec.GroupBy.map((key, index) => getterOf(key, ['GroupBy', index]));
  return (event) => cut(getters.map((get) => textOf(get?.(event).value)).join(':'));
}

function compileSeverity(spec: RuleSpec | ScheduledRuleSpec): SimpleRule['severity'] {
  const changes = (spec.DynamicSeverities ?? []).map(({ ChangeTo, Conditions }) => ({
    to: ChangeTo,
    when: compileDetection(Conditions, 'DynamicSeverities'),
  }));
  return (event) => changes.find(({ when }) => when(event))?.to ?? spec.Severity;
}

function compileContext(spec: RuleSpec | ScheduledRuleSpec): SimpleRule['context'] {
  const entries = (spec.AlertContext ?? []).map(({ KeyName, KeyValue }, index) => ({
    name: KeyName,
    get: getterOf(KeyValue, ['AlertContext', index, 'KeyValue']),
  }));
  return (event) => {
    const text = JSON.stringify(Object.fromEntries(entries.map(({ name, get }) => [name, get?.(event).value ?? null])));
    if (text.length <= contextMax) return text;
    const note = `alert_context size is [${text.length}] characters, bigger than maximum of [${contextMax}] characters`;
    return JSON.stringify({ _error: note });
  };
}

/** Compiles a rule without Python. Throws SimpleError naming the code, the place and the reason. */
export function compileSimpleRule(spec: RuleSpec | ScheduledRuleSpec): SimpleRule {
  if (spec.Detection === undefined) throw new SimpleError('noRule', ['Detection'], 'the rule has no Detection');
  return {
    matches: compileDetection(spec.Detection),
    title: compileTitle(spec.AlertTitle),
    dedup: compileGroupBy(spec),
    severity: compileSeverity(spec),
    context: compileContext(spec),
  };
}
