import type { DetectionVersion, StoredDetection, UnitTest, UnitTestResult } from '#detections';
import type { RootResolver } from '../context.ts';

const detections: RootResolver = (_root, _args, { actor, services }) => services.detections.list(actor, {});

const detection: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.detections.get(actor, { id });

const detectionVersions: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.detections.versions(actor, { id });

const detectionStatistics: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.statistics(actor, input);

const detectionConditions: RootResolver = (_root, _args, { actor, services }) =>
  services.detections.conditions(actor, {});

const detectionCoverage: RootResolver = (_root, _args, { actor, services }) => services.detections.coverage(actor, {});

const mockOf = ({ objectName, returnValue }: UnitTest['mocks'][number]) => ({
  objectName,
  returnValue: typeof returnValue === 'string' ? returnValue : JSON.stringify(returnValue),
});

const rulePythonBody: RootResolver<{ input: string }> = async (_root, { input }, { actor, services }) => {
  const { body, tests } = await services.testing.pythonBody(actor, { id: input });
  return {
    pythonBody: body,
    tests: tests.map(({ name, expectedResult, event, mocks }) => ({
      name,
      expectedResult,
      resource: event,
      mocks: mocks.map(mockOf),
    })),
  };
};

const saveDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.save(actor, input);

const setDetectionEnabled: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.setEnabled(actor, input);

const deleteDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.delete(actor, input);

const testDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.testing.test(actor, input);

const testCorrelationRuleYAML: RootResolver<{ input: unknown }> = async (_root, { input }, { actor, services }) => ({
  results: await services.testing.testCorrelationRule(actor, input),
});

export const detectionResolvers = {
  Query: {
    detections,
    detection,
    detectionVersions,
    detectionStatistics,
    detectionConditions,
    detectionCoverage,
    rulePythonBody,
  },
  Mutation: { saveDetection, setDetectionEnabled, deleteDetection, testDetection, testCorrelationRuleYAML },
  DetectionContent: { specification: ({ spec }: StoredDetection) => spec },
  DetectionVersion: { specification: ({ spec }: DetectionVersion) => spec },
  DetectionStatistics: { detectionId: ({ ruleId }: { readonly ruleId: string }) => ruleId },
  DetectionTestResult: {
    error: ({ error }: UnitTestResult) => error && `${error.exception}: ${error.message}`,
    printed: ({ printed }: UnitTestResult) => printed ?? '',
  },
};
