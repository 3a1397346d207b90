import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Actor } from '#access';
import type { OriginPolicy } from '#identity';
import { DomainError } from '#platform/errors';
import type { RateLimiter, RateRule, Verdict } from '#platform/rate-limit';
import { shareWithPage } from './cors.ts';

type Settings = {
  /** Of one token or user. */
  readonly requestsPerMinute: number;
  /** Of one address, without a valid credential. */
  readonly refusalsPerMinute: number;
};

export type Gate = {
  /** Finds out who asks, within the limits of whoever it is. */
  admit(request: FastifyRequest, reply: FastifyReply, find: () => Promise<Actor>): Promise<Actor>;
  /** Checks a credential, within the limits of the address it comes from. */
  attempt<Result>(request: FastifyRequest, work: () => Promise<Result>): Promise<Result>;
};

/** Requests of one token or user at the same time; more wait at the client. */
const atOnceMax = 64;

const tooMany = (publicMessage: string, retryAfterSeconds: number) =>
  new DomainError('rate_limited', { publicMessage, retryAfterSeconds });

/** Names as in the IETF draft "RateLimit header fields for HTTP". */
function tell(reply: FastifyReply, rule: RateRule, { limit, remaining, resetSeconds }: Verdict): void {
  void reply.headers({
    'ratelimit-limit': String(limit),
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(resetSeconds),
    'ratelimit-policy': `${rule.max};w=${rule.seconds}`,
  });
}

/**
 * Limits of requests. A token or session that is valid is never held back by what others do from its address; who keeps
 * coming without one is told to stay away. Signing in costs us much, so a refused address may not even try.
 */
export function createGate(limiter: RateLimiter, settings: Settings, policy: OriginPolicy): Gate {
  const byActor: RateRule = { name: 'actor', max: settings.requestsPerMinute, seconds: 60 };
  const byAddress: RateRule = { name: 'address', max: settings.refusalsPerMinute, seconds: 60 };
  const running = new Map<string, number>();

  const count = (reply: FastifyReply, key: string): void => {
    const now = (running.get(key) ?? 0) + 1;
    if (now > atOnceMax) throw tooMany(`More than ${atOnceMax} requests at the same time.`, 1);
    running.set(key, now);
    reply.raw.once('close', () => {
      const left = (running.get(key) ?? 1) - 1;
      if (left > 0) running.set(key, left);
      else running.delete(key);
    });
  };
  const refuseAddress = ({ isAllowed, resetSeconds }: Verdict): void => {
    if (!isAllowed) throw tooMany('Too many requests without a valid credential from this address.', resetSeconds);
  };
  const counted = async <Result>(request: FastifyRequest, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DomainError && error.code === 'unauthenticated')
        refuseAddress(limiter.take(byAddress, request.ip));
      throw error;
    }
  };
  const attempt: Gate['attempt'] = async (request, work) => {
    refuseAddress(limiter.look(byAddress, request.ip));
    return counted(request, work);
  };
  const admit: Gate['admit'] = async (request, reply, find) => {
    void reply.header('cache-control', 'no-store');
    const actor = await counted(request, find);
    await shareWithPage(policy, request, reply, actor.tenantId);
    const key = `${actor.tenantId}:${actor.kind}:${actor.id}`;
    const verdict = limiter.take(byActor, key);
    tell(reply, byActor, verdict);
    if (!verdict.isAllowed)
      throw tooMany(`More than ${byActor.max} requests in a minute. Come back later.`, verdict.resetSeconds);
    count(reply, key);
    return actor;
  };
  return { admit, attempt };
}
