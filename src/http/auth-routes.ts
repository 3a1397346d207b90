import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { parseInput } from '#access';
import type { SessionService } from '#identity';
import { DomainError } from '#platform/errors';
import type { Gate } from './request-limits.ts';
import { originOf } from './server.ts';

type Options = { readonly sessions: SessionService; readonly gate: Gate; readonly isSecure: boolean };

const credentials = z.strictObject({ email: z.string().min(3).max(254), password: z.string().min(1).max(1000) });

const passwords = z.strictObject({
  currentPassword: z.string().min(1).max(1000),
  newPassword: z.string().min(1).max(1000),
});

/** `__Host-` binds the cookie to this host over TLS; without TLS (loopback) browsers refuse that prefix. */
const cookieName = (isSecure: boolean): string => (isSecure ? '__Host-margay' : 'margay');

/** Value of the session cookie, if the request has exactly one. */
export function sessionOf(request: FastifyRequest): string | undefined {
  const found = (request.headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim().split('='))
    .filter(([name]) => name === cookieName(true) || name === cookieName(false));
  return found.length === 1 ? found[0]?.[1] : undefined;
}

function setCookie(reply: FastifyReply, value: string, maxAgeSeconds: number, isSecure: boolean): void {
  const secure = isSecure ? '; Secure' : '';
  void reply.header(
    'set-cookie',
    `${cookieName(isSecure)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`,
  );
}

/** A page of another site can send a form but neither this content type nor our origin. */
function refuseOtherSites(request: FastifyRequest): void {
  const { origin, host } = request.headers;
  const isOwn = origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
  if (!isOwn) throw new DomainError('forbidden', { publicMessage: 'This request comes from another site.' });
}

/** Signing in and out with e-mail and password, and changing the password; the session is an http-only cookie. */
export async function authRoutes(server: FastifyInstance, { sessions, gate, isSecure }: Options): Promise<void> {
  server.post('/auth/sign-in', async (request, reply) => {
    refuseOtherSites(request);
    const given = parseInput(credentials, request.body);
    const { value, expiresAt } = await gate.attempt(request, () => sessions.signIn(given, originOf(request)));
    setCookie(reply, value, Math.floor((expiresAt.getTime() - Date.now()) / 1000), isSecure);
    return { expiresAt };
  });
  server.post('/auth/password', async (request) => {
    refuseOtherSites(request);
    const value = sessionOf(request);
    if (value === undefined) throw new DomainError('unauthenticated', { publicMessage: 'Sign in first.' });
    const actor = await sessions.authenticate(value, originOf(request));
    await sessions.changePassword(actor, parseInput(passwords, request.body));
    return {};
  });
  server.post('/auth/sign-out', async (request, reply) => {
    refuseOtherSites(request);
    const value = sessionOf(request);
    if (value !== undefined) await sessions.signOut(await sessions.authenticate(value, originOf(request)));
    setCookie(reply, '', 0, isSecure);
    return {};
  });
}
