import { createOperatorAudit } from '#audit';
import { createTenantErasures, type TenantErasures } from '#identity';
import { jobDefinitions } from '#jobs';
import type { Jobs } from '#platform/jobs';
import type { HousekeepingTask } from './housekeeping.ts';
import type { Platform } from './parts.ts';

/** Erasing tenants with the stores of this process. */
export const openErasures = (platform: Platform, jobs: Pick<Jobs, 'forgetTenant'>): TenantErasures =>
  createTenantErasures({
    ...platform,
    audit: createOperatorAudit(platform),
    forgetJobs: (tenantId) => jobs.forgetTenant(jobDefinitions, tenantId),
  });

/** Goes on with erasures whose command was interrupted. */
export const erasureTask = (erasures: TenantErasures): HousekeepingTask => ({
  name: 'tenant erasures',
  run: async () => {
    let finished = 0;
    for (const { tenantId } of await erasures.listOpen())
      if ((await erasures.advance(tenantId)).state === 'DONE') finished += 1;
    return finished;
  },
  fullRound: Infinity,
});
