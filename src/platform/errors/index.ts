export { badInput, DomainError, type ErrorCode, errorText, notFound } from './domain-error.ts';
export { isTransient } from './transient.ts';
