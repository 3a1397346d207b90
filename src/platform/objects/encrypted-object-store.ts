import { DomainError } from '#platform/errors';
import type { ObjectStore } from './object-store.ts';
import { isSealed, ObjectDamaged, type ObjectPlace, openObject, sealObject } from './sealed-object.ts';

type KeyOfTenant = (tenantId: string) => Promise<{
  readonly dataKey: Uint8Array;
  /** Whether objects of before encryption may be there; of other tenants a plain object is a forgery. */
  readonly mayBePlain: boolean;
}>;

function placeOf(key: string): ObjectPlace {
  const tenantId = /^tenants\/([^/]+)\/./.exec(key)?.[1];
  if (tenantId === undefined) throw new Error(`An object belongs to a tenant: ${JSON.stringify(key)}`);
  return { tenantId, key };
}

const damaged = (key: string, cause: unknown) =>
  new DomainError('internal', {
    publicMessage: 'A stored object is damaged or was put in the wrong place.',
    detail: { key, reason: cause instanceof Error ? cause.message : String(cause) },
    cause,
  });

/** The store with every object encrypted under its tenant's data key; what was written before that stays readable. */
export function encryptObjects(store: ObjectStore, keyOf: KeyOfTenant): ObjectStore {
  const sealed = async (key: string, bytes: Uint8Array): Promise<Buffer> => {
    const place = placeOf(key);
    return sealObject((await keyOf(place.tenantId)).dataKey, place, bytes);
  };
  return {
    ...store,
    put: async (key, bytes) => store.put(key, await sealed(key, bytes)),
    putNew: async (key, bytes) => store.putNew(key, await sealed(key, bytes)),
    async get(key) {
      const place = placeOf(key);
      const [bytes, { dataKey, mayBePlain }] = await Promise.all([store.get(key), keyOf(place.tenantId)]);
      if (!isSealed(bytes)) {
        if (mayBePlain) return bytes;
        throw damaged(key, new ObjectDamaged('The object is not encrypted.'));
      }
      try {
        return openObject(dataKey, place, bytes);
      } catch (error) {
        if (error instanceof ObjectDamaged) throw damaged(key, error);
        throw error;
      }
    },
  };
}
