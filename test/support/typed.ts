import { type DocumentNode, print } from 'graphql';

/** A generated document: what it answers and takes is in its type alone. */
type Typed<Data, Variables> = DocumentNode & { readonly __apiType?: (variables: Variables) => Data };
type Endpoint = { readonly url: string; readonly token: string };

/** Runs an operation of the generated package as a frontend does. Throws with the errors of a refusal. */
export async function askTyped<Data, Variables extends Record<string, unknown>>(
  { url, token }: Endpoint,
  document: Typed<Data, Variables>,
  variables: NoInfer<Variables>,
): Promise<Data> {
  const response = await fetch(`${url}/public/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': token },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const { data, errors } = (await response.json()) as { data: Data; errors?: { message: string }[] };
  if (errors) throw new Error(errors.map(({ message }) => message).join('; '));
  return data;
}
