import type { ContentType, SaveOutcome } from '#detections';
import { DomainError } from '#platform/errors';
import type { Caller } from './route.ts';

type Written = { readonly specification: string; readonly body: string; readonly tests: 'first' | 'none' | 'only' };

/** Saves what a client wrote; a problem of its content file is told in the words that the client knows. */
export async function saveContent(
  type: ContentType,
  how: 'create' | 'put',
  { written, inOwnWords }: { readonly written: Written; readonly inOwnWords: (message: string) => string },
  { actor, services }: Caller,
): Promise<SaveOutcome> {
  try {
    return await services.content[how](actor, type, written);
  } catch (error) {
    if (!(error instanceof DomainError) || error.field !== 'specification') throw error;
    const publicMessage = inOwnWords(error.publicMessage.replaceAll(/(?<=^|; )specification: /g, ''));
    throw new DomainError(error.code, { publicMessage });
  }
}

/** Replaces keys of content files by the names that REST has for them. */
export const renaming =
  (names: Readonly<Record<string, string>>) =>
  (message: string): string =>
    Object.entries(names).reduce(
      (result, [key, name]) => result.replaceAll(new RegExp(String.raw`\b${key}\b`, 'g'), name),
      message,
    );

/** What was saved, of content that has no unit tests. */
export function onlySaved(outcome: SaveOutcome): Extract<SaveOutcome, { kind: 'saved' }> {
  if (outcome.kind === 'saved') return outcome;
  throw new Error('Content without unit tests was not saved.');
}
