import type { UnitTest } from '#detections';
import type { QueryResolvers } from '../generated/resolvers.ts';

const mockOf = ({ objectName, returnValue }: UnitTest['mocks'][number]) => ({
  objectName,
  returnValue: typeof returnValue === 'string' ? returnValue : JSON.stringify(returnValue),
});

/** The Python of a rule with its tests, each event as JSON text. */
export const rulePythonBody: NonNullable<QueryResolvers['rulePythonBody']> = async (
  _root,
  { input },
  { actor, services },
) => {
  const { body, tests } = await services.testing.pythonBody(actor, { id: input });
  return {
    pythonBody: body,
    tests: tests.map(({ name, expectedResult, event, mocks }) => ({
      name,
      expectedResult,
      resource: event,
      mocks: mocks.map(mockOf),
    })),
  };
};
