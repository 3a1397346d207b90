export { type Actor, type ActorReference, referenceOf, type RequestOrigin } from './actor.ts';
export { admit, may, parseInput, refuseOwed, requirePermission } from './admit.ts';
export { type LogTypeAccess, mayReadLogType } from './log-type-access.ts';
export {
  defineMutation,
  defineOwed,
  defineQuery,
  type Operation,
  operationCatalogue,
  permissionsFor,
} from './operation.ts';
export {
  allPermissions,
  builtInRoles,
  effectivePermissions,
  isPermission,
  type Permission,
  permissionTitles,
} from './permission.ts';
export { refuseUnstorable } from './storable.ts';
export { systemActor } from './system-actor.ts';
