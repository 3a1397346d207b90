/** What can be wrong with a detection in YAML. The codes are those that authors look up. */
export const simpleErrorCodes = {
  noRule: 'SD00100001',
  wrongType: 'SD00100003',
  needsInteger: 'SD00100004',
  needsFloat: 'SD00100005',
  needsBoolean: 'SD00100006',
  needsString: 'SD00100007',
  malformedYaml: 'SD00200001',
  malformedNode: 'SD00200002',
  keySpecifier: 'SD00200003',
  existence: 'SD00200004',
  keyValue: 'SD00200005',
  keyValues: 'SD00200006',
  multiKey: 'SD00200007',
  enrichment: 'SD00200008',
  listComprehension: 'SD00200009',
  absolute: 'SD00200010',
  combinator: 'SD00200011',
  unknownCondition: 'SD00200012',
  notInFilter: 'SD00200013',
} as const;

/** A detection that cannot be compiled; `path` leads to the expression. */
export class SimpleError extends Error {
  override readonly name = 'SimpleError';
  readonly code: string;
  readonly path: readonly (string | number)[];

  constructor(kind: keyof typeof simpleErrorCodes, path: readonly (string | number)[], message: string) {
    super(`${simpleErrorCodes[kind]}: ${message}`);
    this.code = simpleErrorCodes[kind];
    this.path = path;
  }
}
