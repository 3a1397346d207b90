import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type DetectionSpec, isSimple, type RuleSpec, type ScheduledRuleSpec } from '../../content/content-item.ts';
import { compileSimpleRule } from '../simple-rule.ts';

let runtime: string | undefined;

/** A value as a Python expression: JSON inside a text that Python reads as it is. */
function literal(value: unknown): string {
  return `json.loads(${JSON.stringify(JSON.stringify(value)).replaceAll(/[\u007F-\uFFFF]/g, escapeCharacter)})`;
}

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

const named = (doc: string, name: string, lines: readonly string[]): string =>
  [`def ${name}(event):`, `    """${doc}"""`, ...lines.map((line) => `    ${line}`)].join('\n');

function functionsOf(spec: RuleSpec | ScheduledRuleSpec): readonly string[] {
  const functions = [
    named('Whether the event is what the detection looks for.', 'rule', ['return every(DETECTION, event)']),
  ];
  if (spec.AlertTitle !== undefined)
    functions.push(
      named('What the alert is called.', 'title', [
        `return cut(re.sub(r"\\{([^{}]+)\\}", lambda found: text_of(value_of({"KeyPath": found[1].strip()}, event)), ${literal(spec.AlertTitle)}))`,
      ]),
    );
  if (spec.GroupBy?.length)
    functions.push(
      named('Events with the same text belong to one alert.', 'dedup', [
        `return cut(":".join(text_of(value_of(key, event)) for key in ${literal(spec.GroupBy)}))`,
      ]),
    );
  if (spec.DynamicSeverities?.length)
    functions.push(
      named('The first severity whose conditions hold.', 'severity', [
        `changes = ${literal(spec.DynamicSeverities)}`,
        `found = (change["ChangeTo"] for change in changes if every(change["Conditions"], event))`,
        `return next(found, ${literal(spec.Severity)})`,
      ]),
    );
  if (spec.AlertContext?.length)
    functions.push(
      named('What the alert tells besides.', 'alert_context', [
        `entries = ${literal(spec.AlertContext)}`,
        `return {entry["KeyName"]: plain(value_of(entry["KeyValue"], event)) for entry in entries}`,
      ]),
    );
  return functions;
}

/**
 * A detection in YAML as a Python module that says the same, with nothing to import but the standard library.
 * Throws SimpleError, as compiling it does.
 */
export function transpileToPython(spec: RuleSpec | ScheduledRuleSpec): string {
  compileSimpleRule(spec);
  runtime ??= readFileSync(path.join(import.meta.dirname, 'match_runtime.py'), 'utf8');
  return `${[runtime.trimEnd(), `DETECTION = ${literal(spec.Detection)}`, ...functionsOf(spec)].join('\n\n\n')}\n`;
}

/** The same for any detection: undefined for one that is not written in YAML alone. */
export const pythonOf = (spec: DetectionSpec): string | undefined =>
  isSimple(spec) ? transpileToPython(spec) : undefined;
