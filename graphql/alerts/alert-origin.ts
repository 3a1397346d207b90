import type { AlertOrigin } from '#alerts';
import type { GraphqlContext } from '../context.ts';
import type { DetectionParent, SystemErrorParent } from '../parents.ts';

type OriginParent = DetectionParent | SystemErrorParent | { readonly id: string };

export const isSystemError = (origin: OriginParent): origin is SystemErrorParent =>
  'kind' in origin && origin.kind === 'system-error';

export const isDetection = (origin: OriginParent): origin is DetectionParent => 'name' in origin;

/** What raised an alert: a detection that is still there, the id of one that is gone, or trouble of the product. */
export async function alertOrigin(
  origin: AlertOrigin,
  loaders: Pick<GraphqlContext['loaders'], 'detections'>,
): Promise<OriginParent> {
  if (origin.kind === 'system-error') return origin;
  const stored = await loaders.detections.load(origin.id);
  return stored === null ? { id: origin.id } : { ...stored, name: origin.name };
}
