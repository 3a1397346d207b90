import type { StoredDetection, UnitTestResult } from '#detections';
import type { RootResolver } from '../context.ts';

const detections: RootResolver = (_root, _args, { actor, services }) => services.detections.list(actor, {});

const detection: RootResolver<{ id: string }> = (_root, { id }, { actor, services }) =>
  services.detections.get(actor, { id });

const saveDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.save(actor, input);

const setDetectionEnabled: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.setEnabled(actor, input);

const deleteDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.delete(actor, input);

const testDetection: RootResolver<{ input: unknown }> = (_root, { input }, { actor, services }) =>
  services.detections.test(actor, input);

export const detectionResolvers = {
  Query: { detections, detection },
  Mutation: { saveDetection, setDetectionEnabled, deleteDetection, testDetection },
  DetectionContent: { specification: ({ spec }: StoredDetection) => spec },
  DetectionTestResult: { error: ({ error }: UnitTestResult) => error && `${error.exception}: ${error.message}` },
};
