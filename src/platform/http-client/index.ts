export { type AddressGuard, createAddressGuard } from './address-guard.ts';
export { createHttpClient, type FailureReason, type HttpClient, type OutboundOutcome } from './http-client.ts';
export { objectionToUrl } from './outbound-url.ts';
