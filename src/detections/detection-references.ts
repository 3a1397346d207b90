import { z } from 'zod';
import { type Actor, admit, defineQuery } from '#access';
import type { Database } from '#platform/postgres';
import { type DetectionReference, findDetectionReferences } from './detection-store.ts';

export type DetectionReferences = {
  /** Those of the detections that exist, for whoever may read the alerts that name them. */
  list(actor: Actor, input: unknown): Promise<readonly DetectionReference[]>;
};

/** Not a root field of its own. */
const detectionReferences = defineQuery({
  name: 'detectionReferences',
  summary: 'Detections that alerts name, by their ids.',
  permission: ['AlertRead', 'RuleRead', 'PolicyRead'],
  input: z.strictObject({ ids: z.array(z.string().max(1000)).max(1000) }),
});

export function createDetectionReferences({ database }: { readonly database: Database }): DetectionReferences {
  return {
    async list(actor, input) {
      const { ids } = admit(actor, detectionReferences, input);
      return database.withTenant(actor.tenantId, (tx) => findDetectionReferences(tx, ids));
    },
  };
}
