import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

const id = z.uuid('is not the id of a log source');
const secret = z.string().min(16, 'must have 16 characters or more').max(1000);
const headerKey = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$/, 'is not a header name');
const logType = z.string().min(3).max(255);

/** Shape shared by creating and updating; names are those of the public REST and Terraform resources. */
const httpSource = z.strictObject({
  integrationLabel: z.string().trim().min(1, 'is empty').max(200),
  logTypes: z.array(logType).min(1, 'needs one log type or more').max(100),
  logStreamType: z.enum(['Auto', 'JSON', 'JsonArray', 'Lines']),
  logStreamTypeOptions: z
    .strictObject({
      jsonArrayEnvelopeField: z.string().max(500).nullish(),
      retainEnvelopeFields: z.boolean().nullish(),
      xmlRootElement: z.string().max(500).nullish(),
    })
    .nullish(),
  authMethod: z.enum(['SharedSecret', 'HMAC', 'Bearer', 'Basic', 'None']),
  authHeaderKey: headerKey.nullish(),
  authSecretValue: secret.nullish(),
  authHmacAlg: z.enum(['sha256', 'sha1'], { error: 'must be sha256 or sha1' }).nullish(),
  authUsername: z.string().min(1).max(200).nullish(),
  authPassword: secret.nullish(),
  authBearerToken: secret.nullish(),
});

export type HttpSourceInput = z.output<typeof httpSource>;

export const sources = defineQuery({
  name: 'sources',
  summary: 'All log sources.',
  permission: 'LogSourceRead',
  input: z.strictObject({ cursor: z.string().max(1000).nullish() }),
});

export const source = defineQuery({
  name: 'source',
  summary: 'One log source, or null.',
  permission: 'LogSourceRead',
  input: z.strictObject({ id }),
});

export const createHttpSource = defineMutation({
  name: 'createHttpSource',
  summary: 'Makes a place that takes logs by POST.',
  permission: 'LogSourceModify',
  audit: 'CREATE_LOG_SOURCE',
  input: httpSource,
});

export const updateHttpSource = defineMutation({
  name: 'updateHttpSource',
  summary: 'Replaces the settings of an HTTP source; secrets that are not given stay.',
  permission: 'LogSourceModify',
  audit: 'UPDATE_LOG_SOURCE',
  input: httpSource.extend({ id }),
});

export const deleteSource = defineMutation({
  name: 'deleteSource',
  summary: 'Deletes a log source; what it delivered stays.',
  permission: 'LogSourceModify',
  audit: 'DELETE_LOG_SOURCE',
  input: z.strictObject({ id }),
});

export const classificationFailures = defineQuery({
  name: 'classificationFailures',
  summary: 'Records that fit no schema of their source, newest first.',
  permission: 'LogSourceRawDataRead',
  input: z.strictObject({
    sourceId: id.nullish(),
    from: z.date(),
    to: z.date(),
    pageSize: z.number().int().min(1).max(500).nullish(),
  }),
});

export const sourceOperations = [
  sources,
  source,
  createHttpSource,
  updateHttpSource,
  deleteSource,
  classificationFailures,
];
