import type { Event } from '../line-reader.ts';

/**
 * A form that the schema language cannot describe. `lines` read text and give the event before its types are decoded,
 * or undefined for a line of another form. `records` take a JSON record and give one event or several.
 */
export type NativeParser =
  | { readonly reads: 'lines'; readonly read: (line: string, parseTime: Date) => Event | undefined }
  | {
      readonly reads: 'records';
      /** Whether ARNs, account ids and addresses are looked for inside fields of type json. */
      readonly scanAws?: boolean;
      readonly reshape?: (event: Event) => readonly Event[];
    };
