import path from 'node:path';
import { checkContent, checkPacks } from '../content/check-content.ts';
import { type ContentSource, type FileProblem, readContent } from '../content/content-directory.ts';
import { bodyBytesMax, type ContentItem, type DetectionKind } from '../content/content-item.ts';
import type { SandboxPool } from '../sandbox/sandbox-contract.ts';
import { findLoadProblems } from '../testing/load-problems.ts';
import { readZip, type ZipEntry } from './zip.ts';

/** What is wrong with an uploaded file. */
export type UploadIssue = { readonly path: string; readonly errorMessage: string };
export type CheckedUpload = { readonly items: readonly ContentItem[]; readonly issues: readonly UploadIssue[] };

const isContentFile = (name: string): boolean => /\.(?:ya?ml|py)$/i.test(name) && !/(?:^|\/)\./.test(name);

function bodyOf(files: ReadonlyMap<string, ZipEntry>, file: string, name: string): string {
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), name));
  const found = files.get(target);
  if (found === undefined) throw new Error(`the file "${name}" is not in the archive`);
  if (found.bytes.length > bodyBytesMax) throw new Error(`the file "${name}" has more than ${bodyBytesMax} bytes`);
  return found.bytes.toString('utf8');
}

function sourcesOf(entries: readonly ZipEntry[]): readonly ContentSource[] {
  const files = new Map(entries.map((entry) => [entry.name, entry]));
  return entries
    .filter(({ name }) => /\.ya?ml$/i.test(name))
    .map(({ name: file, bytes }) => ({
      file,
      text: bytes.toString('utf8'),
      body: async (name) => bodyOf(files, file, name),
    }));
}

const issueOf = ({ file, line, key, message }: FileProblem): UploadIssue => ({
  path: file,
  errorMessage: `${line === undefined ? '' : `line ${line}: `}${key === '' ? '' : `${key} `}${message}`,
});

/** Rules that correlation rules name must be there. */
function unknownMembers(items: readonly ContentItem[], known: ReadonlySet<string>) {
  return items.flatMap(({ id, spec }) => {
    if (spec.AnalysisType !== 'correlation_rule') return [];
    const members = spec.Detection.flatMap((detection) => detection.Group ?? detection.Sequence ?? []);
    const missing = members.map(({ RuleID }) => RuleID).filter((ruleId) => !known.has(ruleId));
    return missing.length === 0
      ? []
      : [{ id, message: `Detection names rules that do not exist: ${missing.join(', ')}` }];
  });
}

function kindConflicts(items: readonly ContentItem[], saved: ReadonlyMap<string, DetectionKind>) {
  return items.flatMap(({ id, kind }) => {
    const other = saved.get(id);
    if (other === undefined || other === kind) return [];
    return [{ id, message: `Conflicting AnalysisID: [${id}] belongs to a ${other.toLowerCase()} already` }];
  });
}

type Deps = { readonly sandbox: Pick<SandboxPool, 'check'>; readonly tenantId: string };

/** Python that no YAML names: an archive of classes, most likely. */
function unnamedPython(entries: readonly ZipEntry[]): readonly UploadIssue[] {
  const [first] = entries;
  if (first === undefined || entries.some(({ name }) => /\.ya?ml$/i.test(name))) return [];
  const errorMessage =
    'the archive has Python files and no YAML file that names them: rules written as Python classes are not supported, ' +
    'write a YAML file with AnalysisType, RuleID and Filename for each rule';
  return [{ path: first.name, errorMessage }];
}

/** Unpacks an upload and checks it together with what is saved: forms, ids, references, and that the Python loads. */
export async function checkUpload(
  { sandbox, tenantId }: Deps,
  archive: Buffer,
  saved: readonly ContentItem[],
): Promise<CheckedUpload> {
  const entries = readZip(archive, isContentFile);
  const { items, files, problems } = await readContent(sourcesOf(entries));
  const fileOf = new Map(files.map(({ item, file }) => [item.id, file]));
  const own = new Set(items.map(({ id }) => id));
  const together = [...items, ...saved.filter(({ id }) => !own.has(id))];
  const known = new Set(together.map(({ id }) => id));
  const found = [
    ...checkContent(together),
    ...checkPacks(items, known),
    ...kindConflicts(items, new Map(saved.map(({ id, kind }) => [id, kind]))),
    ...unknownMembers(items, known),
  ].filter(({ id }) => own.has(id));
  const broken =
    items.some(({ body }) => body !== '') && problems.length === 0
      ? await findLoadProblems({ sandbox, tenantId }, together, fileOf)
      : [];
  const issues = [
    ...unnamedPython(entries),
    ...problems.map(issueOf),
    ...found.map((problem) => ({
      path: fileOf.get(problem.id) ?? problem.id,
      errorMessage: `${'key' in problem && problem.key !== '' ? `${problem.key} ` : ''}${problem.message}`,
    })),
    ...broken.filter(({ id }) => own.has(id)).map(issueOf),
  ];
  return { items, issues: issues.slice(0, 1000) };
}
