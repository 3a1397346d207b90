import { readFile } from 'node:fs/promises';
import { Agent, fetch } from 'undici';
import { localUrl, type Runtime } from '../runtime.ts';
import { flowHeader, type SampleEvent } from './attack-sample.ts';

type Source = { readonly sourceId: string; readonly sourceSecret: string };

export type SampleSender = {
  /** Sends events of one log type as one request, in the form its senders use. Resolves when they are on disk. */
  send(events: readonly SampleEvent[]): Promise<void>;
  close(): Promise<void>;
};

/** Reaches our own server from this machine: exactly its certificate is trusted, under whatever name it was issued. */
export async function createSampleSender(
  runtime: Pick<Runtime, 'settings' | 'port'>,
  { sourceId, sourceSecret }: Source,
): Promise<SampleSender> {
  const { MARGAY_TLS_CERT_FILE: certFile } = runtime.settings;
  const own =
    certFile === undefined
      ? {}
      : { ca: await readFile(certFile), allowPartialTrustChain: true, checkServerIdentity: () => undefined };
  const dispatcher = new Agent({ connect: own });
  return {
    async send(events) {
      const isFlow = events[0]?.logType === 'AWS.VPCFlow';
      const lines = [...(isFlow ? [flowHeader] : []), ...events.map((event) => event.line)];
      const response = await fetch(`${localUrl(runtime)}/http/${sourceId}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${sourceSecret}` },
        body: `${lines.join('\n')}\n`,
        dispatcher,
      });
      if (response.status !== 202)
        throw new Error(`The sample was not taken: ${response.status} ${await response.text()}`);
    },
    close: () => dispatcher.close(),
  };
}

/** Groups events by log type, since a flow log is a file of its own. */
export function byLogType(events: readonly SampleEvent[]): readonly (readonly SampleEvent[])[] {
  return [...Map.groupBy(events, (event) => event.logType).values()];
}
