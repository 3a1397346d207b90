import { expect, test } from 'vitest';
import type { GraphqlContext } from '../../../graphql/context.ts';
import { prepareSubscription } from '../../../graphql/live/prepare.ts';
import { buildSchema } from '../../../graphql/schema.ts';

const schema = buildSchema();
const context = {} as GraphqlContext;
const messageOf = (query: unknown, operationName?: string): string | undefined => {
  const prepared = prepareSubscription(schema, { query, operationName }, context, () => undefined);
  return 'errors' in prepared ? prepared.errors[0]?.message : undefined;
};

test('subscriptions are taken, and nothing else', () => {
  expect(messageOf('subscription { newAlerts { id title } }')).toBeUndefined();
  expect(messageOf('{ isSignedIn }')).toContain('Only subscriptions');
  expect(messageOf('mutation { rotateAPIToken { token { id } } }')).toContain('Only subscriptions');
  expect(messageOf('query a { isSignedIn } subscription b { newAlerts { id } }', 'a')).toContain('Only subscriptions');
  expect(messageOf(undefined)).toContain('`query`');
  expect(messageOf('subscription {')).toContain('Syntax Error');
  expect(messageOf('subscription { nothing }')).toContain('Cannot query field');
});

test('the limits of queries hold', () => {
  const aliases = Array.from({ length: 40 }, (_, index) => `a${index}: id`).join(' ');
  expect(messageOf(`subscription { newAlerts { ${aliases} } }`)).toContain('aliases');
  expect(messageOf(`subscription { newAlerts { ${'id '.repeat(6000)} } }`)).toContain('token');
});
