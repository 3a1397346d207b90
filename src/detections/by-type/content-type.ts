import type { ContentItem, DetectionKind } from '../content/content-item.ts';

/** Content by what a client sees it as: rules in Python and rules in YAML are one kind and two types. */

type Form = {
  readonly kind: DetectionKind;
  /** Keys of the specification that it must have, and must not have. */
  readonly has?: string;
  readonly lacks: readonly string[];
  /** What a person calls one, and many. */
  readonly one: string;
  readonly many: string;
};

const contentTypes = {
  rule: { kind: 'RULE', lacks: ['Detection', 'BaseDetection'], one: 'rule', many: 'rules' },
  simple_rule: {
    kind: 'RULE',
    has: 'Detection',
    lacks: ['BaseDetection'],
    one: 'simple rule',
    many: 'simple rules',
  },
  scheduled_rule: {
    kind: 'SCHEDULED_RULE',
    lacks: ['Detection'],
    one: 'scheduled rule',
    many: 'scheduled rules',
  },
  correlation_rule: { kind: 'CORRELATION_RULE', lacks: [], one: 'correlation rule', many: 'correlation rules' },
  policy: { kind: 'POLICY', lacks: [], one: 'policy', many: 'policies' },
  global: { kind: 'GLOBAL', lacks: [], one: 'global helper', many: 'global helpers' },
  data_model: { kind: 'DATAMODEL', lacks: [], one: 'data model', many: 'data models' },
} as const satisfies Readonly<Record<string, Form>>;

export type ContentType = keyof typeof contentTypes;

export const formOf = (type: ContentType): Form => contentTypes[type];

/** Whether an item is of the type. */
export function isOfType(type: ContentType, { kind, spec }: ContentItem): boolean {
  const form = formOf(type);
  const keys = Object.entries(spec).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  return (
    form.kind === kind &&
    (form.has === undefined || keys.includes(form.has)) &&
    !form.lacks.some((key) => keys.includes(key))
  );
}
