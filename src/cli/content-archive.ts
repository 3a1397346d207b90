import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type ContentItem, writeZip } from '#detections';
import { CommandError } from './command.ts';
import { describeProblem, type LocalContent } from './content-options.ts';

/** What is not meant for production yet, or no more. */
const heldBack = new Set(['experimental', 'deprecated']);

const isHeldBack = ({ spec }: ContentItem): boolean =>
  'Status' in spec && spec.Status !== undefined && heldBack.has(spec.Status.toLowerCase());

/** What goes into an archive: the chosen items, and the globals and data models that they may need. */
function archivedItems({ items, chosen }: LocalContent): readonly ContentItem[] {
  const wanted = new Set(chosen);
  return items.filter(
    (item) => !isHeldBack(item) && (wanted.has(item) || item.kind === 'GLOBAL' || item.kind === 'DATAMODEL'),
  );
}

/** Refuses a folder that has problems, naming each of them. */
export function refuseProblems({ problems }: LocalContent): void {
  if (problems.length > 0)
    throw new CommandError(`The content is not valid:\n${problems.map(describeProblem).join('\n')}`);
}

/** The chosen files of a folder as one zip archive, under their own paths. */
export async function archiveOf(content: LocalContent): Promise<{ readonly bytes: Buffer; readonly count: number }> {
  const items = archivedItems(content);
  const names = new Set<string>();
  for (const item of items) {
    const file = content.fileOf.get(item.id);
    if (file === undefined) continue;
    names.add(file);
    const named = 'Filename' in item.spec ? item.spec.Filename : undefined;
    if (named !== undefined) names.add(path.join(path.dirname(file), named));
  }
  const entries = await Promise.all(
    [...names].toSorted().map(async (name) => ({
      name: name.split(path.sep).join('/'),
      bytes: await readFile(path.join(content.folder, name)),
    })),
  );
  return { bytes: writeZip(entries), count: items.length };
}
