import { stat } from 'node:fs/promises';
import path from 'node:path';
import {
  checkContent,
  checkPacks,
  type ContentFilter,
  type ContentItem,
  loadContentDirectory,
  parseFilters,
  passesFilters,
} from '#detections';
import { CommandError } from './command.ts';

/** Options that every command on a content folder has. */
export const contentOptions = {
  path: { type: 'string', default: '.' },
  filter: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
  'ignore-extra-keys': { type: 'boolean', default: false },
} as const;

/** A problem of the folder as it is shown: file, key, reason. */
export type LocalProblem = {
  readonly file: string;
  readonly line?: number | undefined;
  readonly key: string;
  readonly message: string;
};

export type LocalContent = {
  readonly folder: string;
  /** Everything that was read. */
  readonly items: readonly ContentItem[];
  /** What the filters leave. */
  readonly chosen: readonly ContentItem[];
  readonly problems: readonly LocalProblem[];
  readonly fileOf: ReadonlyMap<string, string>;
};

type Values = {
  readonly path: string;
  readonly filter: readonly string[];
  readonly 'ignore-extra-keys': boolean;
};

function filtersOf(texts: readonly string[]): readonly ContentFilter[] {
  try {
    return parseFilters(texts);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : 'The filter is not valid.');
  }
}

/** Files to fill in are no content yet. */
const isTemplate = (file: string): boolean => file.split(path.sep)[0] === 'templates';

/** Reads a folder, checks what is in it together, and chooses. Arguments without a name are filters too. */
export async function readLocalContent(values: Values, positionals: readonly string[]): Promise<LocalContent> {
  const filters = filtersOf([...values.filter, ...positionals]);
  const folder = path.resolve(values.path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new CommandError(`There is no folder "${values.path}".`);
  const loaded = await loadContentDirectory(folder, { ignoreExtraKeys: values['ignore-extra-keys'] });
  const files = loaded.files.filter(({ file }) => !isTemplate(file));
  const items = files.map(({ item }) => item);
  const fileOf = new Map(files.map(({ item, file }) => [item.id, file]));
  const together = [...checkContent(items), ...checkPacks(items, new Set(fileOf.keys()))];
  return {
    folder,
    items,
    chosen: items.filter((item) => passesFilters(item, filters)),
    problems: [
      ...loaded.problems.filter(({ file }) => !isTemplate(file)),
      ...together.map(({ id, key, message }) => ({ file: fileOf.get(id) ?? id, key, message })),
    ],
    fileOf,
  };
}

/** `file:line: key reason`, as editors understand it. */
export const describeProblem = ({ file, line, key, message }: LocalProblem): string =>
  `${file}${line === undefined ? '' : `:${line}`}: ${key === '' ? '' : `${key} `}${message}`;
