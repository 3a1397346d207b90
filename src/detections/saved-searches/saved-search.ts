import type { ContentItem } from '../content/content-item.ts';
import { queryOf } from '../content/types/query.ts';
import type { DetectionVersion, StoredDetection } from '../detection-store.ts';
import type { SavedSearchInput } from './saved-search-operations.ts';

/** When a search runs by itself. */
type SearchSchedule = {
  readonly cron: string | null;
  readonly rateMinutes: number | null;
  readonly timeoutMinutes: number;
  readonly disabled: boolean;
};

type EmailConfig = {
  readonly recipients: readonly string[];
  readonly preferAttachment: boolean;
  readonly sendEmpty: boolean;
};

/** A search that is kept: content of the tenant like any other, seen as what it searches. */
export type SavedSearch = {
  readonly name: string;
  readonly sql: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schedule: SearchSchedule | null;
  readonly emailConfig: EmailConfig | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export type SavedSearchVersion = Omit<SavedSearch, 'createdAt' | 'updatedAt'> & {
  readonly change: DetectionVersion['change'];
  readonly changedBy: string;
  readonly changedAt: Date;
};

/** Whether content is a search. */
export const isSearch = ({ kind }: Pick<ContentItem, 'kind'>): boolean =>
  kind === 'SAVED_QUERY' || kind === 'SCHEDULED_QUERY';

function searchOf({ id, spec, version }: ContentItem & { readonly version: number }) {
  if (spec.AnalysisType !== 'saved_query' && spec.AnalysisType !== 'scheduled_query')
    throw new Error(`"${id}" is no saved search.`);
  const scheduled = spec.AnalysisType === 'scheduled_query' ? spec : undefined;
  const {
    CronExpression: cron = null,
    RateMinutes: rateMinutes = null,
    TimeoutMinutes: timeoutMinutes = 0,
  } = scheduled?.Schedule ?? {};
  const email = scheduled?.EmailConfig;
  return {
    name: id,
    sql: queryOf(spec) ?? '',
    description: spec.Description ?? '',
    tags: spec.Tags ?? [],
    schedule: scheduled ? { cron, rateMinutes, timeoutMinutes, disabled: !scheduled.Enabled } : null,
    emailConfig: email
      ? {
          recipients: email.Recipients,
          preferAttachment: email.PreferAttachment ?? false,
          sendEmpty: email.SendEmpty ?? false,
        }
      : null,
    version,
  };
}

export const toSearch = (item: StoredDetection): SavedSearch => ({
  ...searchOf(item),
  createdAt: item.createdAt,
  updatedAt: item.updatedAt,
});

export const toSearchVersion = (item: DetectionVersion): SavedSearchVersion => ({
  ...searchOf(item),
  change: item.change,
  changedBy: item.changedBy,
  changedAt: item.changedAt,
});

const usualTimeoutMinutes = 5;
const key = <Value>(name: string, value: Value | null | undefined) =>
  value === null || value === undefined ? {} : { [name]: value };

function scheduleKeys({ schedule, emailConfig }: SavedSearchInput): object {
  if (schedule === null || schedule === undefined) return {};
  const { cron, rateMinutes, timeoutMinutes, disabled } = schedule;
  return {
    Enabled: disabled !== true,
    Schedule: {
      ...key('CronExpression', cron),
      ...key('RateMinutes', rateMinutes),
      TimeoutMinutes: timeoutMinutes ?? usualTimeoutMinutes,
    },
    ...(emailConfig === null || emailConfig === undefined
      ? {}
      : {
          EmailConfig: {
            Recipients: emailConfig.recipients,
            ...key('SendEmpty', emailConfig.sendEmpty),
            ...key('PreferAttachment', emailConfig.preferAttachment),
          },
        }),
  };
}

/** The search as the specification of a piece of content; JSON is YAML. */
export function specificationOf(input: SavedSearchInput): string {
  const isScheduled = input.schedule !== null && input.schedule !== undefined;
  return JSON.stringify({
    AnalysisType: isScheduled ? 'scheduled_query' : 'saved_query',
    QueryName: input.name,
    Query: input.sql,
    ...key('Description', input.description),
    ...key('Tags', input.tags),
    ...scheduleKeys(input),
  });
}
