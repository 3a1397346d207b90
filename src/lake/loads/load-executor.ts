import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { DomainError } from '#platform/errors';
import { hashId } from '#platform/ids';
import { type LakeClient, RowsRefused } from '#platform/lake-client';
import type { ObjectStore } from '#platform/objects';
import { qualified } from '../ddl.ts';
import type { LakeTable } from '../lake-table.ts';
import type { Load } from './load-store.ts';

const unpack = promisify(zstdDecompress);
const newline = 0x0a;

type Deps = {
  readonly client: Pick<LakeClient, 'insert'>;
  readonly objects: Pick<ObjectStore, 'get'>;
  /** Table of the tenant's classification failures, made when needed. */
  readonly failuresTable: (tenantId: string) => Promise<LakeTable>;
};

/** In a shared table each row says whose it is. */
function withTenant(rows: Buffer, table: LakeTable): Buffer {
  if (table.layout === 'dedicated') return rows;
  const mark = `{"p_tenant_id":"${table.tenantId}",`;
  return Buffer.from(
    rows
      .toString('utf8')
      .split('\n')
      .map((line) => (line === '' ? line : mark + line.slice(1)))
      .join('\n'),
  );
}

function splitLines(rows: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < rows.length;) {
    const found = rows.indexOf(newline, start);
    const end = found === -1 ? rows.length : found + 1;
    lines.push(rows.subarray(start, end));
    start = end;
  }
  return lines;
}

type Refused = { readonly line: Buffer; readonly reason: string };

/**
 * Writes rows; when the engine refuses them, halves until the bad ones stand alone. Each part has a token of its own,
 * made of the load and the range, so a retry after a crash writes each part once.
 */
async function insertBisecting(
  client: Deps['client'],
  table: string,
  lines: readonly Buffer[],
  token: string,
  refused: Refused[],
): Promise<void> {
  try {
    await client.insert(table, Buffer.concat(lines), token);
  } catch (error) {
    if (!(error instanceof RowsRefused)) throw error;
    const first = lines[0];
    if (lines.length === 1 && first !== undefined) {
      refused.push({ line: first, reason: error.message.slice(0, 500) });
      return;
    }
    const middle = Math.ceil(lines.length / 2);
    await insertBisecting(client, table, lines.slice(0, middle), `${token}-0`, refused);
    await insertBisecting(client, table, lines.slice(middle), `${token}-1`, refused);
  }
}

/** Writes NDJSON rows into a table of a tenant under a token. Returns the rows that the engine does not take. */
export async function insertRows(
  client: Deps['client'],
  table: LakeTable,
  ndjson: Buffer,
  token: string,
): Promise<readonly Refused[]> {
  const rows = withTenant(ndjson, table);
  const refused: Refused[] = [];
  try {
    await client.insert(qualified(table), rows, token);
  } catch (error) {
    if (!(error instanceof RowsRefused)) throw error;
    await insertBisecting(client, qualified(table), splitLines(rows), hashId(token), refused);
  }
  return refused;
}

/** A refused row as a classification failure: findable by the row id and batch it has. */
function failureRow({ line, reason }: Refused): string {
  const row = JSON.parse(line.toString('utf8')) as Record<string, unknown>;
  const keep = ['p_event_time', 'p_parse_time', 'p_log_type', 'p_row_id', 'p_source_id', 'p_source_label'];
  const kept = Object.fromEntries(keep.map((name) => [name, row[name]]));
  const payload = line.toString('utf8', 0, 16 * 1024).trimEnd();
  return JSON.stringify({ ...kept, p_reason: `The lake refused the row: ${reason}`, p_payload: payload });
}

/** Runs one load. When it returns, every row is in the lake or among the classification failures. */
export async function executeLoad(deps: Deps, load: Load, table: LakeTable): Promise<{ readonly refused: number }> {
  const parts: Buffer[] = [];
  for (const chunk of load.chunks) parts.push(await unpack(await deps.objects.get(chunk.objectKey)));
  const [first] = parts;
  const rows = parts.length === 1 && first !== undefined ? first : Buffer.concat(parts);
  if (rows.length === 0) return { refused: 0 };
  const refused = await insertRows(deps.client, table, rows, load.id);
  if (refused.length > 0) {
    if (table.family === 'classification_failures')
      throw new DomainError('internal', {
        publicMessage: 'Failures could not be stored.',
        detail: { reason: refused[0]?.reason },
      });
    const target = await deps.failuresTable(load.tenantId);
    const failures = Buffer.from(refused.map((item) => `${failureRow(item)}\n`).join(''));
    await deps.client.insert(qualified(target), withTenant(failures, target), hashId(load.id, 'refused'));
  }
  return { refused: refused.length };
}
