import type { ActorReference } from '#access';
import type { GraphqlContext } from './context.ts';
import type { TokenParent, UserParent } from './parents.ts';

const longAgo = new Date(0);

/** A user that is gone, or the product itself, as somebody with a name and without rights. */
function namedUser({ id, name }: ActorReference): UserParent {
  return {
    id,
    email: name,
    givenName: '',
    familyName: '',
    role: {
      id: 'none',
      name: 'none',
      permissions: [],
      logTypeAccessKind: 'DENY_ALL',
      logTypeAccess: [],
      createdAt: longAgo,
      updatedAt: longAgo,
      updatedBy: null,
    },
    isEnabled: false,
    hasPassword: false,
    createdAt: longAgo,
    lastSignedInAt: null,
    isGone: true,
  };
}

/** An API token that is gone, with the name it had. */
const namedToken = ({ id, name }: ActorReference): TokenParent => ({
  id,
  name,
  permissions: [],
  allowedCidrBlocks: [],
  expiresAt: longAgo,
  createdAt: longAgo,
  rotatedAt: null,
  lastUsedAt: null,
  createdBy: null,
  updatedAt: null,
  updatedBy: null,
  rotatedBy: null,
});

type Loaders = Pick<GraphqlContext['loaders'], 'tokens' | 'users'>;

/** Who did something, also when they are gone; the product itself is a user named `system`. */
export async function actorOf(reference: ActorReference, loaders: Loaders): Promise<TokenParent | UserParent> {
  switch (reference.kind) {
    case 'user':
      return (await loaders.users.load(reference.id)) ?? namedUser(reference);
    case 'token':
      return (await loaders.tokens.load(reference.id)) ?? namedToken(reference);
    case 'system':
      return namedUser(reference);
  }
}

/** The same where nobody may have done it. */
export const actorOrNull = (reference: ActorReference | null, loaders: Loaders) =>
  reference === null ? null : actorOf(reference, loaders);

/** For fields that hold users only: a token or unknown author appears as a user with its name. */
export async function userOf(reference: ActorReference | null, loaders: Loaders): Promise<UserParent> {
  const known = reference ?? { kind: 'system', id: 'system', name: 'system' };
  const found = known.kind === 'user' ? await loaders.users.load(known.id) : undefined;
  return found ?? namedUser(known);
}
