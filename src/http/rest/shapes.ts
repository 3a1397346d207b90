import { z } from 'zod';
import { type ActorReference, allPermissions } from '#access';

/** Shapes that several routes answer. */

export const timestamp = z.iso.datetime().meta({ description: 'RFC 3339 in UTC, with milliseconds.' });

export const actorShape = z.object({ id: z.string(), type: z.enum(['user', 'api-token', 'system']) });

const actorTypes = { user: 'user', token: 'api-token', system: 'system' } as const;

export const actorOf = ({ id, kind }: Pick<ActorReference, 'id' | 'kind'>) => ({ id, type: actorTypes[kind] });

/** A field that is there only when there is a value. */
export const present = <Name extends string, Value>(name: Name, value: Value | null | undefined) =>
  (value === null || value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: Value };

export const listOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ results: z.array(item), next: z.string().optional() });

export const pageOf = (results: readonly unknown[], endCursor: string | null) => ({
  status: 200,
  body: { results, ...present('next', endCursor) },
});

export const permissionNames = z.enum(allPermissions);
export const severityNames = z.enum(['INFO', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);
export const statusNames = z.enum(['OPEN', 'TRIAGED', 'RESOLVED', 'CLOSED']);
export const qualityNames = z.enum(['NOISE', 'USEFUL']);
