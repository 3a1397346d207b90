import type { Resolvers } from '../generated/resolvers.ts';
import { rulePythonBody } from './rule-python-body.ts';

export const detectionResolvers = {
  Query: {
    detections: (_root, _args, { actor, services }) => services.detections.list(actor, {}),
    detection: (_root, { id }, { actor, services }) => services.detections.get(actor, { id }),
    detectionVersions: (_root, { id }, { actor, services }) => services.detections.versions(actor, { id }),
    detectionStatistics: (_root, { input }, { actor, services }) => services.detections.statistics(actor, input),
    detectionConditions: (_root, _args, { actor, services }) => services.detections.conditions(actor, {}),
    detectionCoverage: (_root, _args, { actor, services }) => services.detections.coverage(actor, {}),
    detectionRunsWhen: (_root, { id }, { actor, services }) => services.testing.runsWhen(actor, { id }),
    generateEnrichedEvent: async (_root, { input }, { actor, services }) => ({
      enrichedEvent: await services.testing.enrich(actor, input),
    }),
    rulePythonBody,
  },
  Mutation: {
    saveDetection: (_root, { input }, { actor, services }) => services.detections.save(actor, input),
    setDetectionEnabled: (_root, { input }, { actor, services }) => services.detections.setEnabled(actor, input),
    deleteDetection: (_root, { input }, { actor, services }) => services.detections.delete(actor, input),
    testDetection: (_root, { input }, { actor, services }) => services.testing.test(actor, input),
    testCorrelationRuleYAML: async (_root, { input }, { actor, services }) => ({
      results: await services.testing.testCorrelationRule(actor, input),
    }),
    transpileSimpleDetectionsToPython: async (_root, { input }, { actor, services }) => ({
      transpiledPython: await services.testing.transpileRules(actor, input),
    }),
    transpileFilters: async (_root, { input }, { actor, services }) => ({
      transpiledFilters: await services.testing.transpileFilters(actor, input),
    }),
  },
  DetectionContent: { specification: ({ spec }) => spec },
  DetectionVersion: { specification: ({ spec }) => spec },
  DetectionStatistics: { detectionId: ({ ruleId }) => ruleId },
  DetectionTestResult: {
    error: ({ error }) => error && `${error.exception}: ${error.message}`,
    printed: ({ printed }) => printed ?? '',
  },
} satisfies Resolvers;
