import { defineQuery, type Operation, operationCatalogue } from '#access';
import { alertOperations, destinationOperations } from '#alerts';
import { auditOperations } from '#audit';
import { detectionOperations, uploadOperations } from '#detections';
import { tokenOperations, userOperations } from '#identity';
import { batchOperations, schemaOperations, sourceOperations } from '#ingestion';
import { systemErrorOperations } from '#system-errors';
import { z } from 'zod';

const isSignedIn = defineQuery({
  name: 'isSignedIn',
  summary: 'Checks connection and credentials.',
  permission: 'signed-in',
  input: z.strictObject({}),
});

/** Every public operation by the name of its GraphQL field. */
export const operations: ReadonlyMap<string, Operation> = operationCatalogue([
  isSignedIn,
  ...alertOperations,
  ...auditOperations,
  ...batchOperations,
  ...destinationOperations,
  ...detectionOperations,
  ...uploadOperations,
  ...schemaOperations,
  ...sourceOperations,
  ...systemErrorOperations,
  ...tokenOperations,
  ...userOperations,
]);
