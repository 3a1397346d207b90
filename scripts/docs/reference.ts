import {
  allPermissions,
  builtInRoles,
  effectivePermissions,
  type Operation,
  permissionsFor,
  permissionTitles,
} from '#access';
import { restOperations } from '#http';
import { operations } from '../../graphql/operations.ts';

const note = 'Printed by `npm run print-schema` from the definitions that answer requests; not to be edited.';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function rightOf(operation: Operation): string {
  if (operation.permission === 'public') return 'nobody needs to be signed in';
  const wanted = permissionsFor(operation);
  return wanted.length === 0 ? 'any' : wanted.map((permission) => `\`${permission}\``).join(' or ');
}

const named = (kind: Operation['kind']): readonly (readonly string[])[] =>
  [...operations.values()]
    .filter((operation) => operation.kind === kind)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((operation) => [`\`${operation.name}\``, operation.summary, rightOf(operation)]);

function graphqlPage(): string {
  const head = ['Field', 'What it does', 'Permission'];
  return [
    '# GraphQL operations',
    `${note} Types and arguments: [graphql/schema.graphql](../../graphql/schema.graphql), or the playground of a running instance.`,
    '## Queries',
    table(head, named('query')),
    '## Mutations',
    table(head, named('mutation')),
  ].join('\n\n');
}

function restPage(): string {
  const rows = restOperations.map((route) => {
    const isOwed = route.operation.owedTo !== undefined;
    const statuses = isOwed ? ['501'] : [...Object.keys(route.answers), ...route.errors.map(String)];
    return [`\`${route.method} ${route.path}\``, route.summary, rightOf(route.operation), statuses.join(', ')];
  });
  return [
    '# REST operations',
    `${note} Beside the statuses given, any route may answer 400, 401, 403, 413, 415, 429, 431, 500 and 503. Bodies: \`/openapi.json\` and \`/reference/\` of a running instance.`,
    table(['Route', 'What it does', 'Permission', 'Statuses'], rows),
  ].join('\n\n');
}

function permissionsPage(): string {
  const roles = builtInRoles.map(({ name, permissions }) => ({ name, held: effectivePermissions(permissions) }));
  const rows = allPermissions.map((permission) => {
    const implied = [...effectivePermissions([permission])].filter((other) => other !== permission);
    const isNeeded = (operation: Operation) => permissionsFor(operation).includes(permission);
    const fields = [...operations.values()].filter(isNeeded).length;
    const routes = restOperations.filter(({ operation }) => isNeeded(operation)).length;
    return [
      `\`${permission}\``,
      permissionTitles[permission],
      implied.map((other) => `\`${other}\``).join(', '),
      ...roles.map(({ held }) => (held.has(permission) ? 'yes' : '')),
      `${fields} / ${routes}`,
    ];
  });
  const head = ['Permission', 'Title', 'Includes', ...roles.map(({ name }) => name), 'GraphQL fields / REST routes'];
  return [
    '# Permissions',
    `${note} The last column counts operations for which the permission suffices; one without any belongs to a part that is not built yet.`,
    table(head, rows),
  ].join('\n\n');
}

/** The printed pages of the handbook by their path in the repository. */
export const referencePages = (): Readonly<Record<string, string>> => ({
  'docs/reference/graphql.md': `${graphqlPage()}\n`,
  'docs/reference/permissions.md': `${permissionsPage()}\n`,
  'docs/reference/rest.md': `${restPage()}\n`,
});
