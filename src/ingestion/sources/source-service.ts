import { type Actor, admit, referenceOf } from '#access';
import type { AuditRecorder } from '#audit';
import type { LakeReader, LakeRow } from '#lake';
import { badInput, DomainError, notFound } from '#platform/errors';
import type { Ids } from '#platform/ids';
import { type Database, isUniqueViolation, type TenantTx } from '#platform/postgres';
import type { Secrets } from '#platform/secrets';
import type { HttpAuth, HttpSource } from './http-source.ts';
import {
  classificationFailures,
  createHttpSource,
  deleteSource,
  type HttpSourceInput,
  source,
  sources,
  updateHttpSource,
} from './source-operations.ts';
import {
  deleteSourceRow,
  findSource,
  insertSource,
  listSources,
  type StoredSource,
  updateSource,
} from './source-store.ts';

export type SourceService = {
  list(actor: Actor, input: unknown): Promise<readonly HttpSource[]>;
  find(actor: Actor, input: unknown): Promise<HttpSource | undefined>;
  create(actor: Actor, input: unknown): Promise<HttpSource>;
  update(actor: Actor, input: unknown): Promise<HttpSource>;
  delete(actor: Actor, input: unknown): Promise<{ readonly id: string }>;
  listFailures(actor: Actor, input: unknown): Promise<readonly LakeRow[]>;
};

type Deps = {
  readonly database: Database;
  readonly audit: AuditRecorder;
  readonly secrets: Secrets;
  readonly ids: Ids;
  readonly lake: Pick<LakeReader, 'listFailures'>;
  /** Whether a log type has a schema that the tenant may use. */
  readonly hasSchema: (tx: TenantTx, logType: string) => Promise<boolean>;
};

/** Under this purpose the secret of a source is encrypted. */
export const sourceSecretPurpose = (sourceId: string): string => `log source ${sourceId}`;

const withoutSecret = ({ secret: _secret, ...visible }: StoredSource): HttpSource => visible;

/** The sender's proof as it is stored: what may be shown, and the secret apart. */
function readAuth(input: HttpSourceInput): { readonly auth: HttpAuth; readonly secret: string | undefined } {
  const needs = <T>(field: string, value: T | null | undefined): T => {
    if (value === null || value === undefined)
      throw badInput(field, `${field}: is needed for authMethod ${input.authMethod}`);
    return value;
  };
  switch (input.authMethod) {
    case 'None':
      return { auth: { method: 'None' }, secret: undefined };
    case 'Bearer':
      return { auth: { method: 'Bearer' }, secret: input.authBearerToken ?? undefined };
    case 'Basic':
      return {
        auth: { method: 'Basic', username: needs('authUsername', input.authUsername) },
        secret: input.authPassword ?? undefined,
      };
    case 'SharedSecret':
      return {
        auth: { method: 'SharedSecret', headerKey: needs('authHeaderKey', input.authHeaderKey) },
        secret: input.authSecretValue ?? undefined,
      };
    case 'HMAC': {
      const headerKey = needs('authHeaderKey', input.authHeaderKey);
      return {
        auth: { method: 'HMAC', headerKey, algorithm: input.authHmacAlg ?? 'sha256' },
        secret: input.authSecretValue ?? undefined,
      };
    }
  }
}

async function settingsOf(
  { secrets, hasSchema }: Deps,
  tx: TenantTx,
  id: string,
  input: HttpSourceInput,
  before: StoredSource | undefined,
) {
  for (const logType of input.logTypes)
    if (!(await hasSchema(tx, logType))) throw badInput('logTypes', `logTypes: there is no schema "${logType}"`);
  const { auth, secret } = readAuth(input);
  const isSameMethod = before?.auth.method === auth.method;
  if (auth.method !== 'None' && secret === undefined && !isSameMethod)
    throw badInput('authMethod', `authMethod: ${auth.method} needs its secret`);
  const sealed = secret === undefined ? undefined : await secrets.encrypt(tx, sourceSecretPurpose(id), secret);
  const field = input.logStreamTypeOptions?.jsonArrayEnvelopeField;
  const root = input.logStreamTypeOptions?.xmlRootElement;
  return {
    label: input.integrationLabel,
    logTypes: input.logTypes,
    streamType: input.logStreamType,
    streamOptions: {
      ...(field ? { jsonArrayEnvelopeField: field } : {}),
      ...(root ? { xmlRootElement: root } : {}),
    },
    auth,
    secret: sealed ?? (isSameMethod ? before.secret : null),
  };
}

async function savingLabel<T>(label: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new DomainError('conflict', {
      field: 'integrationLabel',
      publicMessage: `There is a log source named "${label}" already.`,
    });
  }
}

async function get(tx: TenantTx, id: string): Promise<StoredSource> {
  const found = await findSource(tx, id);
  if (found === undefined) throw notFound('log source', id);
  return found;
}

export function createSourceService(deps: Deps): SourceService {
  const { database, audit } = deps;
  return {
    async list(actor, input) {
      admit(actor, sources, input);
      const found = await database.withTenant(actor.tenantId, listSources);
      return found.map(withoutSecret);
    },
    async find(actor, input) {
      const { id } = admit(actor, source, input);
      const found = await database.withTenant(actor.tenantId, (tx) => findSource(tx, id));
      return found && withoutSecret(found);
    },
    async create(actor, input) {
      const wanted = admit(actor, createHttpSource, input);
      const id = deps.ids.uuid();
      const work = database.withTenant(actor.tenantId, async (tx) => {
        await insertSource(tx, id, await settingsOf(deps, tx, id, wanted, undefined), referenceOf(actor));
        await audit.record(tx, actor, createHttpSource, {
          target: { kind: 'log source', id },
          parameters: { label: wanted.integrationLabel, logTypes: wanted.logTypes, authMethod: wanted.authMethod },
        });
        return get(tx, id);
      });
      return withoutSecret(await savingLabel(wanted.integrationLabel, work));
    },
    async update(actor, input) {
      const { id, ...wanted } = admit(actor, updateHttpSource, input);
      const work = database.withTenant(actor.tenantId, async (tx) => {
        await updateSource(tx, id, await settingsOf(deps, tx, id, wanted, await get(tx, id)));
        await audit.record(tx, actor, updateHttpSource, {
          target: { kind: 'log source', id },
          parameters: { label: wanted.integrationLabel, logTypes: wanted.logTypes, authMethod: wanted.authMethod },
        });
        return get(tx, id);
      });
      return withoutSecret(await savingLabel(wanted.integrationLabel, work));
    },
    async delete(actor, input) {
      const { id } = admit(actor, deleteSource, input);
      await database.withTenant(actor.tenantId, async (tx) => {
        if (!(await deleteSourceRow(tx, id))) throw notFound('log source', id);
        await audit.record(tx, actor, deleteSource, { target: { kind: 'log source', id } });
      });
      return { id };
    },
    async listFailures(actor, input) {
      const { sourceId, from, to, pageSize } = admit(actor, classificationFailures, input);
      return deps.lake.listFailures(actor.tenantId, sourceId ?? undefined, { from, to }, pageSize ?? 50);
    },
  };
}
