import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { textLiteral } from '../../ddl.ts';
import type { ReadTable } from '../../query-engine.ts';

/** A table as the lake defines it, and the folder of its parts as the reader sees it. */
export type TableDefinition = ReadTable & { readonly create: string; readonly folder: string };

export type ReaderFile = { readonly path: string; readonly text: string };

type Options = {
  /** Folder that the reader may write. */
  readonly scratch: string;
  readonly tables: readonly TableDefinition[];
  readonly settings: Readonly<Record<string, string | number>>;
  readonly memoryBytesMax: number;
};

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const identifier = (name: string): string => `\`${name}\``;
const plainName = /^[a-z][a-z0-9_]*$/;

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;

/** Names of the product's own making; they become names of files, elements and grants. */
function assertPlain(name: string): string {
  if (!plainName.test(name)) throw new Error(`"${name}" is no name of a table in the lake.`);
  return name;
}

function byDatabase(tables: readonly TableDefinition[]): ReadonlyMap<string, readonly TableDefinition[]> {
  return Map.groupBy(tables, ({ database }) => assertPlain(database));
}

/** The lake's own definition, moved onto the folder that the reader sees, which it cannot write. */
function attachStatement({ create, folder }: TableDefinition): string {
  const start = create.indexOf(' (');
  if (!create.startsWith('CREATE TABLE ') || start < 0 || !/ SETTINGS [^()]*$/.test(create))
    throw new Error('The lake defines the table in a way that the reader does not know.');
  const disk = `disk(readonly = 1, type = object_storage, object_storage_type = local_blob_storage, metadata_type = plain, path = ${textLiteral(`${folder}/`)})`;
  return `ATTACH TABLE _ UUID '${randomUUID()}'${create.slice(start)}, disk = ${disk}, table_disk = 1\n`;
}

/** What the engine finds when it opens the folder: the databases and tables of this query, already attached. */
function metadataFiles({ scratch, tables }: Options): readonly ReaderFile[] {
  return [...byDatabase(tables)].flatMap(([database, members]) => {
    const uuid = randomUUID();
    const folder = path.join(scratch, 'store/store', uuid.slice(0, 3), uuid);
    return [
      {
        path: path.join(scratch, 'store/metadata', `${database}.sql`),
        text: `ATTACH DATABASE _ UUID '${uuid}'\nENGINE = Atomic\n`,
      },
      ...members.map((table) => ({
        path: path.join(folder, `${assertPlain(table.table)}.sql`),
        text: attachStatement(table),
      })),
    ];
  });
}

/** Row policies: what a query reads of a table is what its plan says, for the engine as well. */
function policies(tables: readonly TableDefinition[]): string {
  return [...byDatabase(tables)]
    .map(([database, members]) =>
      element(
        database,
        members
          .filter(({ where }) => where !== null)
          .map(({ table, where }) => element(table, element('filter', xml(where ?? ''))))
          .join(''),
      ),
    )
    .join('');
}

const ownSettings = {
  // Nothing is put aside on disk: what does not fit into the memory of a query ends it.
  max_bytes_ratio_before_external_group_by: 0,
  max_bytes_ratio_before_external_sort: 0,
  readonly: 1,
};

/** Rights of the only user there is: to read the tables of this query, within limits that it cannot change. */
function users({ tables, settings }: Options): string {
  const grants = [
    ...tables.map(({ database, table }) => `GRANT SELECT ON ${identifier(database)}.${identifier(table)}`),
    // Its own progress.
    'GRANT SELECT(read_rows, read_bytes) ON system.processes',
  ];
  const profile = Object.entries({ ...settings, ...ownSettings }).map(([name, value]) =>
    element(name, xml(String(value))),
  );
  const user = [
    '<password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>',
    element('grants', grants.map((grant) => element('query', xml(grant))).join('')),
    element('databases', policies(tables)),
  ];
  return [
    element('profiles', element('default', profile.join(''))),
    '<quotas><default></default></quotas>',
    element('users', element('default', user.join(''))),
  ].join('\n');
}

const improvements = [
  'select_from_system_db_requires_grant',
  'select_from_information_schema_requires_grant',
  'table_engines_require_grant',
  'on_cluster_queries_require_cluster_grant',
].map((name) => element(name, 'true'));

/** Files from which a reader starts. No statement ever runs with more rights than these give. */
export function readerFiles(options: Options): readonly ReaderFile[] {
  const file = path.join(options.scratch, 'engine.xml');
  const engine = [
    '<logger><level>none</level></logger>',
    element('max_server_memory_usage', String(options.memoryBytesMax)),
    element('user_directories', element('users_xml', element('path', xml(file)))),
    element('access_control_improvements', improvements.join('')),
    users(options),
  ];
  return [{ path: file, text: element('clickhouse', engine.join('\n')) }, ...metadataFiles(options)];
}

/** Links from the names of databases to their folders, as the engine keeps them. */
export function readerLinks(files: readonly ReaderFile[]): readonly ReaderFile[] {
  return files.flatMap(({ path: file, text }) => {
    const uuid = /^ATTACH DATABASE _ UUID '([0-9a-f-]{36})'/.exec(text)?.[1];
    return uuid === undefined
      ? []
      : [{ path: file.slice(0, -'.sql'.length), text: `../store/${uuid.slice(0, 3)}/${uuid}` }];
  });
}
