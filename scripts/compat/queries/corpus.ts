import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { expandTemplate } from '#search';

/** A search of the corpus: the name of its file, and its statement with templates expanded. */
export type CorpusQuery = { readonly name: string; readonly sql: string };

const fileShape = z.object({ QueryName: z.string(), Query: z.string() });
/** What only holds macros for others is no search. */
const isLibrary = (sql: string): boolean => /\{%-?\s*macro\b/.test(sql);

async function yamlFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.ya?ml$/.test(name)).toSorted();
}

/** Every search of a folder, in the order of its files. A folder `queries` inside is taken when there is one. */
export async function readCorpus(folder: string): Promise<readonly CorpusQuery[]> {
  const inner = path.join(folder, 'queries');
  const root = await readdir(inner).then(
    () => inner,
    () => folder,
  );
  const found: { readonly name: string; readonly title: string; readonly sql: string }[] = [];
  for (const file of await yamlFiles(root)) {
    const parsed = fileShape.safeParse(parse(await readFile(path.join(root, file), 'utf8')));
    if (parsed.success)
      found.push({
        name: path.basename(file).replace(/\.ya?ml$/, ''),
        title: parsed.data.QueryName,
        sql: parsed.data.Query,
      });
  }
  const byTitle = new Map(found.map(({ title, sql }) => [title, sql]));
  return found
    .filter(({ sql }) => !isLibrary(sql))
    .map(({ name, sql }) => ({ name, sql: expandTemplate(sql, (title) => byTitle.get(title)) }));
}
