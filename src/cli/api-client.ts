import { z } from 'zod';
import type { ClientSettings } from '#platform/config';
import { errorText } from '#platform/errors';
import { CommandError } from './command.ts';

/** Asks one GraphQL operation of a deployment; the answer is checked against `output`. */
export type ApiClient = {
  ask<Output>(query: string, variables: Readonly<Record<string, unknown>>, output: z.ZodType<Output>): Promise<Output>;
};

const answer = z.object({
  data: z.unknown().optional(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

const timeoutMs = 60_000;

/** A client of the public GraphQL endpoint. Every refusal becomes a CommandError with the server's own words. */
export function createApiClient({ url, token }: ClientSettings): ApiClient {
  const post = async (body: string): Promise<Response> => {
    try {
      return await fetch(`${url}/public/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': token },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (error) {
      throw new CommandError(
        `No answer from ${url} (${errorText(error)}). Is it running? MARGAY_URL says where to look.`,
      );
    }
  };
  return {
    async ask(query, variables, output) {
      const response = await post(JSON.stringify({ query, variables }));
      const parsed = answer.safeParse(await response.json().catch(() => undefined));
      if (!parsed.success)
        throw new CommandError(`${url} answered ${response.status}, but not as Margay does. Check MARGAY_URL.`);
      const messages = parsed.data.errors?.map((error) => error.message) ?? [];
      if (messages.length > 0) throw new CommandError(messages.join('\n'));
      return output.parse(parsed.data.data);
    },
  };
}
