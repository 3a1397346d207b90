export { createRateLimiter, type RateLimiter, type RateRule, type Verdict } from './rate-limiter.ts';
export { sharedCounts } from './shared-counts-store.ts';
