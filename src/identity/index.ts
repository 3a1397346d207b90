export { createTenantService, type Tenant, type TenantService } from './tenant-service.ts';
export type { ApiToken } from './token.ts';
export { tokenOperations } from './token-operations.ts';
export { createTokenService, type TokenService, type TokenWithValue } from './token-service.ts';
