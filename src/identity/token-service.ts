import { type Actor, admit, effectivePermissions, isPermission, may, referenceOf, type RequestOrigin } from '#access';
import type { AuditRecorder } from '#audit';
import type { Clock } from '#platform/clock';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation, type TenantTx } from '#platform/postgres';
import { type ApiToken, isAddressAllowed } from './token.ts';
import {
  apiToken,
  apiTokens,
  createAPIToken,
  deleteAPIToken,
  ownAPIToken,
  rotateAPIToken,
  rotateOtherAPIToken,
  tokenReferences,
  updateAPIToken,
} from './token-operations.ts';
import {
  deleteToken,
  findToken,
  findTokenByHash,
  findTokens,
  insertToken,
  listTokens,
  replaceTokenValue,
  touchToken,
  updateTokenRow,
} from './token-store.ts';
import type { KnownToken, TokenMemory } from './token-memory.ts';
import { hashTokenValue, isTokenValue, newTokenValue } from './token-value.ts';

export type TokenWithValue = { readonly token: ApiToken; readonly value: string };

export type TokenService = {
  list(actor: Actor, input: unknown): Promise<readonly ApiToken[]>;
  /** Those of the tokens that exist, for whoever may see what names them. */
  references(actor: Actor, input: unknown): Promise<readonly ApiToken[]>;
  get(actor: Actor, input: unknown): Promise<ApiToken>;
  /** The calling token itself. */
  getOwn(actor: Actor, input: unknown): Promise<ApiToken>;
  create(actor: Actor, input: unknown): Promise<TokenWithValue>;
  update(actor: Actor, input: unknown): Promise<ApiToken>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  rotateOwn(actor: Actor, input: unknown): Promise<TokenWithValue>;
  /** Another token, which may do no more than the caller: the new value is in the answer. */
  rotate(actor: Actor, input: unknown): Promise<TokenWithValue>;
  /** The actor behind the value of an `X-API-Key` header. Unknown, revoked and expired values get the same answer. */
  authenticate(value: string, origin: RequestOrigin): Promise<Actor>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly memory: TokenMemory;
};

const refused = () =>
  new DomainError('unauthenticated', { publicMessage: 'The API token is not valid. Check the X-API-Key header.' });

/** Nobody gives away what they do not hold. */
function refuseExcess(actor: Actor, permissions: readonly string[]): void {
  const missing = permissions.find((permission) => isPermission(permission) && !may(actor, permission));
  if (missing !== undefined)
    throw badInput('permissions', `permissions: you do not hold ${missing} yourself, so you cannot grant it`);
}

async function find({ database }: Deps, hash: Buffer): Promise<KnownToken | undefined> {
  const found = await findTokenByHash(database.readSystem('a token value names its tenant'), hash);
  if (found === undefined) return undefined;
  const { permissions, lastUsedAt } = found.token;
  return { ...found, permissions: effectivePermissions(permissions), touchedAt: lastUsedAt?.getTime() ?? 0 };
}

async function authenticate(deps: Deps, value: string, origin: RequestOrigin): Promise<Actor> {
  if (!isTokenValue(value)) throw refused();
  const hash = hashTokenValue(value);
  const found = await deps.memory.find(hash.toString('base64'), () => find(deps, hash));
  if (found === undefined) throw refused();
  const { tenantId, token, permissions } = found;
  const now = deps.clock.now();
  if (token.expiresAt !== null && token.expiresAt <= now) throw refused();
  if (!isAddressAllowed(origin.ipAddress, token.allowedCidrBlocks))
    throw new DomainError('forbidden', { publicMessage: 'The API token may not be used from this address.' });
  if (now.getTime() - found.touchedAt > 60_000) {
    found.touchedAt = now.getTime();
    await deps.database.withTenant(tenantId, (tx) => touchToken(tx, token.id));
  }
  return {
    kind: 'token',
    id: token.id,
    name: token.name,
    tenantId,
    permissions,
    logTypeAccess: { kind: 'ALLOW_ALL' },
    origin,
  };
}

async function get(tx: TenantTx, id: string): Promise<ApiToken> {
  const token = await findToken(tx, id);
  if (token === undefined) throw notFound('API token', id);
  return token;
}

async function uniqueName<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new DomainError('conflict', {
      field: 'name',
      publicMessage: `There is an API token named "${name}" already.`,
    });
  }
}

/** What this process remembers is as new as the change when the change is answered. */
async function forgetting<T>(memory: TokenMemory, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } finally {
    memory.forget();
  }
}

async function create({ database, audit, ids }: Deps, actor: Actor, input: unknown): Promise<TokenWithValue> {
  const { name, permissions, allowedCIDRBlocks, expiresAt } = admit(actor, createAPIToken, input);
  refuseExcess(actor, permissions);
  const value = newTokenValue();
  const id = ids.uuid();
  const wanted = {
    id,
    name,
    permissions,
    allowedCidrBlocks: allowedCIDRBlocks ?? [],
    expiresAt: expiresAt ?? null,
    createdBy: referenceOf(actor),
  };
  const work = database.withTenant(actor.tenantId, async (tx) => {
    await insertToken(tx, wanted, hashTokenValue(value));
    await audit.record(tx, actor, createAPIToken, {
      target: { kind: 'token', id },
      parameters: { name, permissions },
    });
    return { token: await get(tx, id), value };
  });
  return uniqueName(name, work);
}

async function update({ database, audit, memory }: Deps, actor: Actor, input: unknown): Promise<ApiToken> {
  const { id, name, permissions, allowedCIDRBlocks } = admit(actor, updateAPIToken, input);
  if (permissions) refuseExcess(actor, permissions);
  const work = database.withTenant(actor.tenantId, async (tx) => {
    const before = await get(tx, id);
    const token = {
      id,
      name: name ?? before.name,
      permissions: permissions ?? before.permissions,
      allowedCidrBlocks: allowedCIDRBlocks ?? before.allowedCidrBlocks,
    };
    await updateTokenRow(tx, token, referenceOf(actor));
    await audit.record(tx, actor, updateAPIToken, {
      target: { kind: 'token', id },
      parameters: { name: token.name, permissions: token.permissions },
    });
    return get(tx, id);
  });
  return forgetting(memory, uniqueName(name ?? '', work));
}

/** Id of the calling token; only a token has a self. */
function ownId(actor: Actor): string {
  if (actor.kind === 'token') return actor.id;
  throw new DomainError('bad_input', {
    publicMessage: 'Only an API token has a self: send the request with its X-API-Key.',
  });
}

async function rotateOwn({ database, audit, memory }: Deps, actor: Actor, input: unknown): Promise<TokenWithValue> {
  admit(actor, rotateAPIToken, input);
  const id = ownId(actor);
  const value = newTokenValue();
  const work = database.withTenant(actor.tenantId, async (tx) => {
    await replaceTokenValue(tx, id, hashTokenValue(value), referenceOf(actor));
    await audit.record(tx, actor, rotateAPIToken, { target: { kind: 'token', id } });
    return get(tx, id);
  });
  return { token: await forgetting(memory, work), value };
}

async function rotate({ database, audit, memory }: Deps, actor: Actor, input: unknown): Promise<TokenWithValue> {
  const { id } = admit(actor, rotateOtherAPIToken, input);
  const value = newTokenValue();
  const work = database.withTenant(actor.tenantId, async (tx) => {
    refuseExcess(actor, (await get(tx, id)).permissions);
    await replaceTokenValue(tx, id, hashTokenValue(value), referenceOf(actor));
    await audit.record(tx, actor, rotateOtherAPIToken, { target: { kind: 'token', id } });
    return get(tx, id);
  });
  return { token: await forgetting(memory, work), value };
}

export function createTokenService(deps: Deps): TokenService {
  const { database, audit, memory } = deps;
  return {
    async list(actor, input) {
      admit(actor, apiTokens, input);
      return database.withTenant(actor.tenantId, listTokens);
    },
    async references(actor, input) {
      const { ids } = admit(actor, tokenReferences, input);
      return database.withTenant(actor.tenantId, (tx) => findTokens(tx, ids));
    },
    async get(actor, input) {
      const { id } = admit(actor, apiToken, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, id));
    },
    async getOwn(actor, input) {
      admit(actor, ownAPIToken, input);
      return database.withTenant(actor.tenantId, (tx) => get(tx, ownId(actor)));
    },
    create: (actor, input) => create(deps, actor, input),
    update: (actor, input) => update(deps, actor, input),
    async delete(actor, input) {
      const { id } = admit(actor, deleteAPIToken, input);
      const work = database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteToken(tx, id))) throw notFound('API token', id);
        await audit.record(tx, actor, deleteAPIToken, { target: { kind: 'token', id } });
      });
      await forgetting(memory, work);
      return { id };
    },
    rotateOwn: (actor, input) => rotateOwn(deps, actor, input),
    rotate: (actor, input) => rotate(deps, actor, input),
    authenticate: (value, origin) => authenticate(deps, value, origin),
  };
}
