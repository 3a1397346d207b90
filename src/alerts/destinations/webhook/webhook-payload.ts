import type { Alert, AlertType } from '../../alert.ts';

/** What the payload is made from. */
export type PayloadSource = Pick<
  Alert,
  'id' | 'type' | 'severity' | 'title' | 'description' | 'runbook' | 'tags' | 'createdAt' | 'origin'
> & {
  /** JSON text of an object, with its numbers as the detection wrote them. */
  readonly context: string | null;
};

const bytesMax = 512 * 1024;

const titlePrefixes: Readonly<Record<AlertType, string>> = {
  RULE: 'New Alert',
  SCHEDULED_RULE: 'New Alert',
  RULE_ERROR: 'New rule error',
  SCHEDULED_RULE_ERROR: 'New rule error',
  POLICY: 'Policy Failure',
  SYSTEM_ERROR: 'System error',
};

/** A repetition that a person asked for says so, whatever the type. */
function sentTitle({ type, title }: Pick<Alert, 'type' | 'title'>, isResent: boolean): string {
  return `${isResent ? '[Re-sent]' : titlePrefixes[type]}: ${title}`;
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

type Options = { readonly consoleUrl: string; readonly isResent: boolean };

/**
 * The JSON text that webhooks get. Every key is always there, null when unknown. The context is put in as the text it
 * is stored as: parsing it would change large numbers. At most 512 KiB: above, the context gives way.
 */
export function webhookBody(alert: PayloadSource, { consoleUrl, isResent }: Options): string {
  const { origin } = alert;
  const bodyWith = (context: string): string => {
    const fields: readonly (readonly [string, string])[] = [
      ['id', JSON.stringify(origin.kind === 'detection' ? origin.id : origin.type)],
      ['createdAt', JSON.stringify(alert.createdAt)],
      ['severity', JSON.stringify(alert.severity)],
      ['type', JSON.stringify(alert.type)],
      ['link', JSON.stringify(`${consoleUrl}/alerts/${alert.id}`)],
      ['title', JSON.stringify(sentTitle(alert, isResent))],
      ['name', JSON.stringify(origin.kind === 'detection' ? origin.name : null)],
      ['alertId', JSON.stringify(alert.id)],
      ['alertContext', context],
      ['description', JSON.stringify(alert.description || null)],
      ['runbook', JSON.stringify(alert.runbook || null)],
      ['tags', JSON.stringify(alert.tags)],
      ['version', 'null'],
    ];
    return `{${fields.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;
  };
  const body = bodyWith(alert.context !== null && isObjectText(alert.context) ? alert.context : '{}');
  if (Buffer.byteLength(body) <= bytesMax) return body;
  return bodyWith('{"_error":"The alert context is too large for a webhook; open the alert to see it."}');
}

/** What "send test alert" sends: an alert that does not exist. */
export function testWebhookBody({ consoleUrl, now }: { readonly consoleUrl: string; readonly now: Date }): string {
  return JSON.stringify({
    id: 'Test.Alert',
    createdAt: now,
    severity: 'INFO',
    type: 'RULE',
    link: consoleUrl,
    title: 'New Alert: This is a Test Alert',
    name: 'Test Alert',
    alertId: 'Test.Alert',
    alertContext: {},
    description: 'This is a Test Alert',
    runbook: `See ${consoleUrl} for how to work with alerts.`,
    tags: ['test'],
    version: 'test',
  });
}
