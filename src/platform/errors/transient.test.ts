import { expect, test } from 'vitest';
import { badInput, DomainError } from './domain-error.ts';
import { isTransient } from './transient.ts';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

test('full disks, lost connections and restarting stores are transient, also behind other errors', () => {
  const unavailable = new DomainError('unavailable', { publicMessage: 'x', retryable: true });
  for (const error of [
    coded('ENOSPC'),
    coded('ECONNREFUSED'),
    coded('53100'),
    coded('57P01'),
    coded('40001'),
    new Error('Connection terminated unexpectedly'),
    unavailable,
    new Error('outer', { cause: coded('08006') }),
  ])
    expect(isTransient(error)).toBe(true);
});

test('what is wrong with the work itself is not', () => {
  for (const error of [
    coded('22P02'),
    coded('23505'),
    coded('ENOENT'),
    new TypeError('x is not a function'),
    badInput('name', 'name: is empty'),
    new DomainError('internal', { publicMessage: 'x' }),
    'text',
  ])
    expect(isTransient(error)).toBe(false);
});
