import { flowHeader, type SampleEvent } from './attack-sample.ts';

/** Sends events of one log type as one request, in the form its senders use. Resolves when they are on disk. */
export async function sendEvents(url: string, secret: string, events: readonly SampleEvent[]): Promise<void> {
  const isFlow = events[0]?.logType === 'AWS.VPCFlow';
  const lines = [...(isFlow ? [flowHeader] : []), ...events.map((event) => event.line)];
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}` },
    body: `${lines.join('\n')}\n`,
  });
  if (response.status !== 202) throw new Error(`The sample was not taken: ${response.status} ${await response.text()}`);
}

/** Groups events by log type, since a flow log is a file of its own. */
export function byLogType(events: readonly SampleEvent[]): readonly (readonly SampleEvent[])[] {
  return [...Map.groupBy(events, (event) => event.logType).values()];
}
