/** One fenced piece of code in a page. */
export type Snippet = { readonly language: string; readonly text: string; readonly line: number };

/** Fenced code of a page, in order. */
export function snippetsOf(page: string): readonly Snippet[] {
  const found: Snippet[] = [];
  const lines = page.split('\n');
  let open: { language: string; line: number; text: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = /^```(\w*)\s*$/.exec(line);
    if (fence === null) open?.text.push(line);
    else if (open === undefined) open = { language: fence[1] ?? '', line: index + 1, text: [] };
    else {
      found.push({ language: open.language, line: open.line, text: open.text.join('\n') });
      open = undefined;
    }
  }
  return found;
}

const withoutCode = (page: string): string => page.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');

/** Targets of links, pictures included. */
export function linksOf(page: string): readonly string[] {
  return [...withoutCode(page).matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** Anchors that a page has: its headings as links name them. */
export function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*$/gm)];
  return new Set(
    headings.map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    ),
  );
}
