import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { bodyBytesMax, type ContentItem, type ContentProblem, itemOf, parseSpec } from './content-item.ts';

export type FileProblem = ContentProblem & { readonly file: string };

async function readBody(folder: string, file: string, name: string): Promise<string> {
  const target = path.resolve(path.dirname(path.join(folder, file)), name);
  if (!target.startsWith(path.resolve(folder) + path.sep))
    throw new Error(`Filename "${name}" leaves the content folder`);
  const { size } = await stat(target);
  if (size > bodyBytesMax) throw new Error(`"${name}" has more than ${bodyBytesMax} bytes`);
  return readFile(target, 'utf8');
}

/** Reads a content repository. What cannot be read is reported with its file and key; the rest is returned. */
export async function loadContentDirectory(
  folder: string,
): Promise<{ readonly items: readonly ContentItem[]; readonly problems: readonly FileProblem[] }> {
  const names = await readdir(folder, { recursive: true });
  const items: ContentItem[] = [];
  const problems: FileProblem[] = [];
  for (const file of names.filter((name) => /\.ya?ml$/.test(name)).toSorted()) {
    const parsed = parseSpec(await readFile(path.join(folder, file), 'utf8'));
    if ('problems' in parsed) {
      problems.push(...parsed.problems.map((problem) => ({ file, ...problem })));
      continue;
    }
    try {
      const body = parsed.spec.Filename === undefined ? '' : await readBody(folder, file, parsed.spec.Filename);
      items.push(itemOf(parsed.spec, body));
    } catch (error) {
      problems.push({ file, key: 'Filename', message: error instanceof Error ? error.message : 'cannot be read' });
    }
  }
  return { items, problems };
}
