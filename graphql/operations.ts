import { defineQuery, type Operation, operationCatalogue } from '#access';
import { alertOperations, destinationOperations, metrics } from '#alerts';
import { auditOperations } from '#audit';
import { detectionOperations, savedSearchOperations, uploadOperations } from '#detections';
import { retentionOperations, settingsOperations, tokenOperations, userOperations } from '#identity';
import { alarmOperations, batchOperations, schemaOperations, sourceOperations } from '#ingestion';
import { searchOperations } from '#search';
import { systemErrorOperations } from '#system-errors';
import { z } from 'zod';
import { owedOperations } from './owed/operations.ts';

const isSignedIn = defineQuery({
  name: 'isSignedIn',
  summary: 'Checks connection and credentials.',
  permission: 'signed-in',
  input: z.strictObject({}),
});

/** Every public operation by the name of its GraphQL field. */
export const operations: ReadonlyMap<string, Operation> = operationCatalogue([
  isSignedIn,
  metrics,
  ...alarmOperations,
  ...alertOperations,
  ...auditOperations,
  ...batchOperations,
  ...destinationOperations,
  ...detectionOperations,
  ...uploadOperations,
  ...owedOperations,
  ...retentionOperations,
  ...schemaOperations,
  ...savedSearchOperations,
  ...searchOperations,
  ...settingsOperations,
  ...sourceOperations,
  ...systemErrorOperations,
  ...tokenOperations,
  ...userOperations,
]);
