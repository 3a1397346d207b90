export { createRoleService, type RoleService } from './role-service.ts';
export { createSessionService, type SessionService } from './session-service.ts';
export { createTenantService, type Tenant, type TenantService } from './tenant-service.ts';
export type { ApiToken } from './token.ts';
export { tokenOperations } from './token-operations.ts';
export { createTokenService, type TokenService, type TokenWithValue } from './token-service.ts';
export type { Role, User } from './user.ts';
export { userOperations } from './user-operations.ts';
export { createUserService, type UserService } from './user-service.ts';
