/** Rows of a result as people and programs read them at the terminal. */

export type ResultRow = Readonly<Record<string, unknown>>;

/** Control characters of a stored event must not steer the terminal of whoever looks at it. */
// eslint-disable-next-line no-control-regex -- removing them is the purpose
const printable = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

const cellMax = 60;

const plain = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const shortened = (text: string): string => (text.length > cellMax ? `${text.slice(0, cellMax - 1)}…` : text);

/** A table with a line under its heads; long cells are cut. */
export function tableLines(columns: readonly string[], rows: readonly ResultRow[]): readonly string[] {
  const cells = rows.map((row) => columns.map((name) => shortened(printable(plain(row[name])))));
  const heads = columns.map((name) => shortened(printable(name)));
  const widths = heads.map((head, index) => Math.max(head.length, ...cells.map((line) => (line[index] ?? '').length)));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)];
}

/** A field of CSV (RFC 4180). A text that a spreadsheet would run as a formula is kept a text. */
function csvField(value: unknown): string {
  const text = plain(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvLine = (values: readonly unknown[]): string => values.map(csvField).join(',');
