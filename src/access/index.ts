export type { Actor, RequestOrigin } from './actor.ts';
export { admit, may, parseInput } from './admit.ts';
export { type LogTypeAccess, mayReadLogType } from './log-type-access.ts';
export { defineMutation, defineQuery, type Operation, operationCatalogue, permissionsFor } from './operation.ts';
export {
  allPermissions,
  builtInRoles,
  effectivePermissions,
  isPermission,
  type Permission,
  permissionTitles,
} from './permission.ts';
export { systemActor } from './system-actor.ts';
