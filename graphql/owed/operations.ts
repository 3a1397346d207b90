import { defineOwed, type Operation } from '#access';

type Row = readonly [Operation['kind'], Operation['permission'], ...string[]];

/**
 * Operations that clients know and whose part of the product is not built yet. Whoever builds it deletes the name here
 * and adds an operation to its room and a resolver to its folder; nothing else remembers the name.
 */
const owed: Readonly<Record<string, readonly Row[]>> = {
  'language model': [
    ['query', 'RunPantherAI', 'aiInferenceStream', 'aiInferenceStreamsMetadata', 'cachedAISummaryData'],
    ['mutation', 'RunPantherAI', 'aiSummarizeAlert', 'aiSummarizeLogEvents'],
  ],
  'cloud scanning': [
    ['query', 'CloudsecSourceRead', 'cloudAccount', 'cloudAccounts'],
    ['mutation', 'CloudsecSourceModify', 'createCloudAccount', 'updateCloudAccount', 'deleteCloudAccount'],
  ],
  'actors of alerts': [['mutation', 'DataAnalyticsRead', 'executeAlertActorQuery']],
  'identity profiles': [['query', ['AlertRead', 'DataAnalyticsRead'], 'actorProfileInfo']],
  'detection testing': [
    ['query', ['RuleRead', 'PolicyRead'], 'replay'],
    ['mutation', ['RuleModify', 'BulkUpload'], 'createPerfTest', 'stopReplay'],
  ],
  'bucket transport': [['mutation', 'LogSourceModify', 'createS3Source', 'updateS3Source']],
};

export const owedOperations: readonly Operation[] = Object.entries(owed).flatMap(([owedTo, rows]) =>
  rows.flatMap(([kind, permission, ...names]) => names.map((name) => defineOwed({ name, kind, permission, owedTo }))),
);
