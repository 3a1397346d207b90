import { type Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { bodyBytesMax, type ContentItem, type ContentProblem, itemOf, parseSpec } from './content-item.ts';

/** A problem of a file of a content repository. */
export type FileProblem = ContentProblem & { readonly file: string };
/** An item and the file it comes from, relative to the folder that was read. */
type FileItem = { readonly item: ContentItem; readonly file: string };

export type LoadedContent = {
  readonly items: readonly ContentItem[];
  readonly files: readonly FileItem[];
  readonly problems: readonly FileProblem[];
};

/** Files that have no content although they are YAML or lie beside it. */
const ignoredFiles = new Set(['dependabot.yml', 'package.json', 'package-lock.json']);
const ignoredFolders = new Set(['__pycache__', 'node_modules']);
const yamlName = /\.ya?ml$/i;

/** YAML texts with the name that a person knows them by, and a way to read what lies beside them. */
export type ContentSource = {
  readonly file: string;
  readonly text: string;
  /** Reads the Python that the YAML names. Throws an Error that says what is wrong. */
  body(name: string): Promise<string>;
};

async function namesIn(folder: string, inside = ''): Promise<readonly string[]> {
  const entries: readonly Dirent[] = await readdir(path.join(folder, inside), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(inside, entry.name);
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory() && !ignoredFolders.has(entry.name)) found.push(...(await namesIn(folder, name)));
    else if (entry.isFile() && yamlName.test(entry.name) && !ignoredFiles.has(entry.name)) found.push(name);
  }
  return found;
}

async function readBody(folder: string, file: string, name: string): Promise<string> {
  const target = path.resolve(path.dirname(path.join(folder, file)), name);
  if (!target.startsWith(path.resolve(folder) + path.sep)) throw new Error(`"${name}" leaves the content folder`);
  const found = await stat(target).catch(() => undefined);
  if (!found?.isFile()) throw new Error(`the file "${name}" does not exist`);
  if (found.size > bodyBytesMax) throw new Error(`the file "${name}" has more than ${bodyBytesMax} bytes`);
  return readFile(target, 'utf8');
}

/** A body belongs to what is Python; a lookup table names a file of data. */
const hasPython = (type: string): boolean => type !== 'lookup_table';

/** Reads texts as content. What has no AnalysisType is no content and is passed over. */
export async function readContent(
  sources: AsyncIterable<ContentSource> | Iterable<ContentSource>,
  options: { readonly ignoreExtraKeys?: boolean } = {},
): Promise<LoadedContent> {
  const files: FileItem[] = [];
  const problems: FileProblem[] = [];
  for await (const { file, text, body } of sources) {
    if (!/^["']?AnalysisType["']?\s*:/m.test(text)) continue;
    const parsed = parseSpec(text, options);
    if ('problems' in parsed) {
      problems.push(...parsed.problems.map((problem) => ({ file, ...problem })));
      continue;
    }
    const { spec } = parsed;
    const named = 'Filename' in spec && hasPython(spec.AnalysisType) ? spec.Filename : undefined;
    try {
      const item = itemOf(spec, named === undefined ? '' : await body(named), text);
      const bodyFile = named === undefined ? {} : { bodyFile: path.join(path.dirname(file), named) };
      files.push({ item: { ...item, ...bodyFile }, file });
    } catch (error) {
      problems.push({ file, key: 'Filename', message: error instanceof Error ? error.message : 'cannot be read' });
    }
  }
  return { items: files.map(({ item }) => item), files, problems };
}

async function* sourcesIn(folder: string): AsyncGenerator<ContentSource> {
  for (const file of await namesIn(folder))
    yield {
      file,
      text: await readFile(path.join(folder, file), 'utf8'),
      body: (name) => readBody(folder, file, name),
    };
}

/** Reads a content repository. What cannot be read is reported with its file and key; the rest is returned. */
export function loadContentDirectory(
  folder: string,
  options: { readonly ignoreExtraKeys?: boolean } = {},
): Promise<LoadedContent> {
  return readContent(sourcesIn(folder), options);
}
