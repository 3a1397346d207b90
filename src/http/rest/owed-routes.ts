import { z } from 'zod';
import { defineOwed, type Permission, refuseOwed } from '#access';
import { defineRoute, type Method, type RestRoute } from './route.ts';

type Rights = { readonly read: Permission; readonly write: Permission };

const logSources: Rights = { read: 'LogSourceRead', write: 'LogSourceModify' };

function owedRoute(id: string, method: Method, path: string, { read, write }: Rights, owedTo: string): RestRoute {
  const isRead = method === 'GET';
  const operation = defineOwed({
    name: `${method} ${path}`,
    kind: isRead ? 'query' : 'mutation',
    permission: isRead ? read : write,
    owedTo,
  });
  return defineRoute({
    id,
    method,
    path,
    summary: `Not available yet: ${owedTo}.`,
    operation,
    ...(method === 'POST' || method === 'PUT' ? { body: z.unknown() } : {}),
    answers: {},
    errors: [],
    handle: async (_request, { actor }) => refuseOwed(actor, operation),
  });
}

/** Things that are made, read, replaced and deleted by id; without a list. */
const unlisted = (name: string, path: string, rights: Rights, owedTo: string): readonly RestRoute[] => [
  owedRoute(`${name}#create`, 'POST', path, rights, owedTo),
  owedRoute(`${name}#get`, 'GET', `${path}/{id}`, rights, owedTo),
  owedRoute(`${name}#put`, 'PUT', `${path}/{id}`, rights, owedTo),
  owedRoute(`${name}#delete`, 'DELETE', `${path}/{id}`, rights, owedTo),
];

/** Routes that clients know and whose part of the product is not built yet; whoever builds it deletes them here. */
export const owedRoutes: readonly RestRoute[] = [
  ...unlisted(
    'aws cloud account',
    '/cloud-accounts/aws',
    { read: 'CloudsecSourceRead', write: 'CloudsecSourceModify' },
    'cloud scanning',
  ),
  ...unlisted('gcs source', '/log-sources/gcs', logSources, 'bucket transport'),
  ...unlisted('log forwarder source', '/log-sources/log-forwarder', logSources, 'log forwarder'),
  ...unlisted('pub/sub source', '/log-sources/pubsub', logSources, 'queue transport'),
  ...unlisted('s3 source', '/log-sources/s3', logSources, 'bucket transport'),
];
