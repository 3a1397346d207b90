export type Event = Record<string, unknown>;

type Parsed =
  | { readonly kind: 'fields'; readonly fields: Event }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'misfit'; readonly reason: string };

/** Turns one line into named texts. Stateful: header and skipped lines are those of one batch part. */
export type TextParser = (line: string) => Parsed;

/** Raw values by name, in order; undefined when the line does not match; `nothing` for a header line. */
export type LineReader = (line: string) => ReadonlyMap<string, string> | 'nothing' | undefined;
