import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { bodyBytesMax } from './content/content-item.ts';
import { anyRead, anyWrite } from './content-rights.ts';

const id = z.string().min(1, 'is empty').max(1000);
const body = z.string().max(bodyBytesMax, `has more than ${bodyBytesMax} characters`);
const specification = z.string().min(1, 'is empty').max(2_000_000);

export const detectionsQuery = defineQuery({
  name: 'detections',
  summary: 'Content of every type: rules, policies, globals, data models, packs, queries and so on.',
  permission: anyRead,
  input: z.strictObject({}),
});
export const detectionQuery = defineQuery({
  name: 'detection',
  summary: 'One piece of content.',
  permission: anyRead,
  input: z.strictObject({ id }),
});
export const detectionVersions = defineQuery({
  name: 'detectionVersions',
  summary: 'The latest hundred versions of one piece of content, newest first, also after it was deleted.',
  permission: anyRead,
  input: z.strictObject({ id }),
});
export const detectionStatistics = defineQuery({
  name: 'detectionStatistics',
  summary: 'What detections did, by hour: runs, time, matches and errors.',
  permission: 'RuleRead',
  input: z.strictObject({ id: id.nullish(), since: z.date() }),
});
export const detectionConditions = defineQuery({
  name: 'detectionConditions',
  summary: 'Conditions that detections without Python can use, with what they need and which fields they suit.',
  permission: 'RuleRead',
  input: z.strictObject({}),
});
export const detectionCoverage = defineQuery({
  name: 'detectionCoverage',
  summary: 'Tactics and techniques of MITRE ATT&CK, and which detections are about them.',
  permission: 'RuleRead',
  input: z.strictObject({}),
});
export const saveDetection = defineMutation({
  name: 'saveDetection',
  summary: 'Creates or replaces a piece of content from its YAML and Python.',
  permission: anyWrite,
  audit: 'UPDATE_RULE',
  input: z.strictObject({ specification, body }),
});
export const setDetectionEnabled = defineMutation({
  name: 'setDetectionEnabled',
  summary: 'Switches a piece of content on or off.',
  permission: anyWrite,
  audit: 'UPDATE_DETECTION_STATE',
  input: z.strictObject({ id, isEnabled: z.boolean() }),
});
export const deleteDetection = defineMutation({
  name: 'deleteDetection',
  summary: 'Deletes a piece of content; its history stays.',
  permission: anyWrite,
  audit: 'DELETE_DETECTION',
  input: z.strictObject({ id }),
});
export const testDetection = defineMutation({
  name: 'testDetection',
  summary: 'Runs the unit tests of a detection that need not be saved.',
  permission: ['RuleRead', 'PolicyRead'],
  audit: 'TEST_RULE',
  input: z.strictObject({ specification, body }),
});
export const testCorrelationRuleYaml = defineMutation({
  name: 'testCorrelationRuleYAML',
  summary: 'Runs the unit tests of a correlation rule that need not be saved.',
  permission: ['RuleRead', 'BulkUpload', 'BulkUploadValidate'],
  audit: 'TEST_RULE',
  input: z.strictObject({ yaml: specification }),
});
export const rulePythonBody = defineQuery({
  name: 'rulePythonBody',
  summary: 'Python and unit tests of a rule, for the tests of rules derived from it.',
  permission: ['RuleRead', 'BulkUpload', 'BulkUploadValidate'],
  input: z.strictObject({ id }),
});

const forTests = ['RuleRead', 'PolicyRead', 'BulkUpload', 'BulkUploadValidate'] as const;
export const detectionRunsWhen = defineQuery({
  name: 'detectionRunsWhen',
  summary: 'The condition without which a rule or policy is not run, or why it runs on every event.',
  permission: forTests,
  input: z.strictObject({ id }),
});

/** As text, what one record may have. */
const eventCharactersMax = 1_000_000;
export const generateEnrichedEvent = defineQuery({
  name: 'generateEnrichedEvent',
  summary: 'An event as rules see it after enrichment.',
  permission: ['LookupRead', 'RuleRead'],
  input: z.strictObject({
    event: z
      .record(z.string(), z.unknown(), { error: 'is not an object' })
      .refine((event) => JSON.stringify(event).length <= eventCharactersMax, 'has more than 1,000,000 characters'),
  }),
});

const texts = z.array(specification).max(2000, 'has more than 2,000 items');
export const transpileRules = defineMutation({
  name: 'transpileSimpleDetectionsToPython',
  summary: 'Turns detections in YAML into Python that says the same.',
  permission: forTests,
  audit: 'TEST_RULE',
  input: z.strictObject({ data: texts }),
});
export const transpileRuleFilters = defineMutation({
  name: 'transpileFilters',
  summary: 'Turns inline filters into the form in which command lines evaluate them.',
  permission: forTests,
  audit: 'TEST_RULE',
  input: z.strictObject({ data: texts, patVersion: z.string().max(100).nullish() }),
});

export const detectionOperations = [
  detectionsQuery,
  detectionQuery,
  detectionVersions,
  detectionStatistics,
  detectionConditions,
  detectionCoverage,
  saveDetection,
  setDetectionEnabled,
  deleteDetection,
  testDetection,
  testCorrelationRuleYaml,
  rulePythonBody,
  detectionRunsWhen,
  generateEnrichedEvent,
  transpileRules,
  transpileRuleFilters,
];
