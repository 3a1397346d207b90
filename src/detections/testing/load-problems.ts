import type { FileProblem } from '../content/content-directory.ts';
import type { ContentItem } from '../content/content-item.ts';
import type { RuleError, SandboxPool } from '../sandbox/sandbox-contract.ts';
import { sandboxContent, testingContent } from '../sandbox-content.ts';

/** Python that does not load. */
type LoadProblem = FileProblem & { readonly id: string };

/** Why an item does not load, and where: the innermost line of content, or else the file of its Python. */
export function describeLoadError({ exception, message, traceback }: RuleError, file = ''): string {
  const place = traceback.split('\n').at(-1) || file;
  // The place of a syntax error is in its message already.
  return `${exception}: ${message}${place === '' || message.includes(place) ? '' : ` (${place})`}`;
}

/** The error at its line of the author's file; the innermost line is named beside it when that is another. */
function problemOf(error: RuleError, file: string): LoadProblem {
  const places = error.traceback.split('\n');
  const own = places.findLast((place) => place.startsWith(`${file}, line `));
  const line = own === undefined ? undefined : Number(/, line (\d+)/.exec(own.slice(file.length))?.[1]);
  const told = own === places.at(-1) ? { ...error, traceback: '' } : error;
  const message = describeLoadError(told).replace(`: ${own}`, '');
  return { id: error.ruleId, file, key: '', message, ...(line === undefined ? {} : { line }) };
}

/** Loads the Python of all items and says what of it does not, `fileOf` being their YAML files. */
export async function findLoadProblems(
  { sandbox, tenantId }: { readonly sandbox: Pick<SandboxPool, 'check'>; readonly tenantId: string },
  items: readonly ContentItem[],
  fileOf: ReadonlyMap<string, string>,
): Promise<readonly LoadProblem[]> {
  const content = testingContent(items);
  const files = new Map(content.items.map(({ id, bodyFile }) => [id, bodyFile]));
  const errors = await sandbox.check({ tenantId, content: sandboxContent(content) });
  return errors.map((error) => problemOf(error, files.get(error.ruleId) ?? fileOf.get(error.ruleId) ?? error.ruleId));
}
