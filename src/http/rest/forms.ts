import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '#platform/errors';
import { readBody } from '../body.ts';

/** An archive of 10 MiB and what a form puts around it. */
const formBytesMax = 10 * 1024 * 1024 + 64 * 1024;

const unreadable = (): DomainError =>
  new DomainError('bad_input', { field: 'body', publicMessage: 'The body could not be read as multipart/form-data.' });

/** Fields of a form (RFC 7578): texts as they are, files as their bytes. A name that comes twice is refused. */
async function readForm(request: FastifyRequest, payload: Readable): Promise<Readonly<Record<string, unknown>>> {
  const body = await readBody(payload, formBytesMax, 'The form has more than 10 MiB.');
  const headers = { 'content-type': request.headers['content-type'] ?? '' };
  const form = await new Response(new Uint8Array(body), { headers }).formData().catch(() => {
    throw unreadable();
  });
  const fields: Record<string, unknown> = {};
  for (const [name, value] of form) {
    if (Object.hasOwn(fields, name))
      throw new DomainError('bad_input', { field: name, publicMessage: `${name}: comes twice` });
    fields[name] = typeof value === 'string' ? value : Buffer.from(await value.arrayBuffer());
  }
  return fields;
}

/** Lets the routes of a scope take forms, and nothing else. */
export function acceptForms(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('multipart/form-data', (request: FastifyRequest, payload: Readable) =>
    readForm(request, payload),
  );
}
