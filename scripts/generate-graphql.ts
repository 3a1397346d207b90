/** Generates the types of the resolvers from the schema, so that a resolver that no longer fits it does not compile. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import * as resolvers from '@graphql-codegen/typescript-resolvers';
import * as documents from '@graphql-codegen/typed-document-node';
import { parse } from 'graphql';
import { operationTexts, sha256 } from '../graphql/persisted.ts';

/** What stands for a type on the way from its resolver to those of its fields. */
const mappers = Object.fromEntries(
  Object.entries({
    Alert: 'AlertParent',
    AlertDelivery: 'AttemptParent',
    APIToken: 'TokenParent',
    AuditEvent: 'AuditEventParent',
    Batch: 'BatchParent',
    Comment: 'CommentParent',
    DataLakeDatabase: 'LakeDatabaseParent',
    DataLakeDatabaseTable: 'LakeTableParent',
    DataLakeQuery: 'LakeQueryParent',
    DeliveryStatus: 'DeliveryParent',
    Destination: 'DestinationParent',
    Detection: 'DetectionParent',
    DetectionContent: 'ContentParent',
    DetectionStatistics: 'StatisticsParent',
    DetectionTestResult: 'TestResultParent',
    DetectionVersion: 'VersionParent',
    HttpLogIntegration: 'SourceParent',
    LogIntegration: 'SourceParent',
    Role: 'RoleParent',
    SavedQuery: 'SavedSearchParent',
    SavedQueryVersion: 'SavedSearchVersionParent',
    Schema: 'SchemaParent',
    SystemError: 'SystemErrorParent',
    SystemErrorEntry: 'SystemErrorEntryParent',
    TestAlertResult: 'TestAlertParent',
    User: 'UserParent',
  }).map(([type, parent]) => [type, `../parents.ts#${parent}`]),
);

const scalars = {
  DateTime: { input: 'Date', output: 'Date' },
  Email: { input: 'string', output: 'string' },
  JSON: { input: 'unknown', output: 'unknown' },
  Long: { input: 'string', output: 'string' },
  Timestamp: { input: 'Date', output: 'Date' },
};

function readFolder(folder: string): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .toSorted()
    .map((name) => readFileSync(path.join(folder, name), 'utf8'))
    .join('\n');
}

/** What frontends ask: each document with the types of its variables and answer, in `graphql/generated/operations.ts`. */
async function generateOperations(root: string, text: string): Promise<void> {
  const filename = path.join(root, 'graphql/generated/operations.ts');
  const asked = { location: 'graphql/documents', document: parse(readFolder(path.join(root, 'graphql/documents'))) };
  const json = { DateTime: 'string', Email: 'string', JSON: 'unknown', Long: 'string', Timestamp: 'string' };
  const output = await codegen({
    filename,
    schema: parse(text),
    documents: [asked],
    config: { enumsAsTypes: true, scalars: json, strictScalars: true, useTypeImports: true },
    plugins: [{ operations: {} }, { documents: {} }],
    pluginMap: { operations, documents },
  });
  writeFileSync(filename, output);
  const listed = operationTexts(asked.document).map(({ name, text: body }) => ({ id: sha256(body), name, body }));
  const manifest = { format: 'apollo-persisted-query-manifest', version: 1, operations: listed };
  writeFileSync(path.join(root, 'graphql/generated/persisted.json'), JSON.stringify(manifest, null, 2));
}

/** Writes `graphql/generated`: types of the resolvers, and the operations of frontends. */
export async function generateGraphql(root: string): Promise<void> {
  const text = readFolder(path.join(root, 'graphql/schema'));
  const filename = path.join(root, 'graphql/generated/resolvers.ts');
  const output = await codegen({
    filename,
    schema: parse(text),
    documents: [],
    config: {
      contextType: '../context.ts#GraphqlContext',
      defaultScalarType: 'unknown',
      enumsAsTypes: true,
      immutableTypes: true,
      maybeValue: 'T | null | undefined',
      mappers,
      scalars,
      strictScalars: true,
      useTypeImports: true,
    },
    plugins: [{ typescript: {} }, { resolvers: {} }],
    pluginMap: { typescript, resolvers },
  });
  mkdirSync(path.dirname(filename), { recursive: true });
  writeFileSync(filename, output);
  await generateOperations(root, text);
}

if (process.argv[1] === import.meta.filename) await generateGraphql(path.resolve(import.meta.dirname, '..'));
