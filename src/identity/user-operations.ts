import { z } from 'zod';
import { allPermissions, defineMutation, defineQuery, isPermission } from '#access';

const id = z.uuid('is not an id');
const email = z.email('is not an e-mail address').min(3).max(254);
const name = z.string().trim().max(200);
const roleName = z.string().trim().min(1, 'is empty').max(200);
const permissions = z.array(z.string().refine(isPermission, 'is not a permission')).max(allPermissions.length);
const accessKind = z.enum(['ALLOW', 'ALLOW_ALL', 'DENY', 'DENY_ALL']);
const logTypes = z.array(z.string().max(255)).max(1000);
const roleReference = z.strictObject({ kind: z.enum(['ID', 'NAME']), value: z.string().min(1).max(200) });

export const users = defineQuery({
  name: 'users',
  summary: 'All users.',
  permission: 'UserRead',
  input: z.strictObject({}),
});
/** Users that fit filters, in pages, for REST. */
export const searchUsers = defineQuery({
  name: 'searchUsers',
  summary: 'Users that fit the filters, by e-mail.',
  permission: 'UserRead',
  input: z.strictObject({
    cursor: z.string().max(1000).nullish(),
    pageSize: z.number().int().min(1).max(60).nullish(),
    contains: z.string().max(1000).nullish(),
    email: z.string().max(1000).nullish(),
    ids: z.array(z.string().max(1000)).max(1000).nullish(),
    includesDeactivated: z.boolean().nullish(),
    isConfirmed: z.boolean().nullish(),
  }),
});
export const userById = defineQuery({
  name: 'userById',
  summary: 'One user.',
  permission: 'UserRead',
  input: z.strictObject({ id }),
});
export const userByEmail = defineQuery({
  name: 'userByEmail',
  summary: 'One user.',
  permission: 'UserRead',
  input: z.strictObject({ email: z.string().max(254) }),
});
/** Users named as the authors or owners of something; not a root field of its own. */
export const userReferences = defineQuery({
  name: 'userReferences',
  summary: 'Users by their ids.',
  permission: 'signed-in',
  input: z.strictObject({ ids: z.array(z.string().max(200)).max(1000) }),
});
export const inviteUser = defineMutation({
  name: 'inviteUser',
  summary: 'Adds a user. The password is set by whoever invites, until mail is configured.',
  permission: 'UserModify',
  audit: 'CREATE_USER',
  input: z.strictObject({
    email,
    givenName: name,
    familyName: name,
    role: roleReference,
    password: z.string().max(200).nullish(),
  }),
});
export const updateUser = defineMutation({
  name: 'updateUser',
  summary: 'Changes a user.',
  permission: 'UserModify',
  audit: 'UPDATE_USER',
  input: z.strictObject({
    id,
    email: email.nullish(),
    givenName: name.nullish(),
    familyName: name.nullish(),
    role: roleReference.nullish(),
  }),
});
export const deleteUser = defineMutation({
  name: 'deleteUser',
  summary: 'Deletes a user and ends their sessions.',
  permission: 'UserModify',
  audit: 'DELETE_USER',
  input: z.strictObject({ id }),
});

export const roles = defineQuery({
  name: 'roles',
  summary: 'All roles.',
  permission: 'UserRead',
  input: z.strictObject({
    nameContains: z.string().max(1000).nullish(),
    name: z.string().max(1000).nullish(),
    ids: z.array(z.string().max(1000)).max(1000).nullish(),
    sortDir: z.enum(['ascending', 'descending']).nullish(),
  }),
});
export const roleById = defineQuery({
  name: 'roleById',
  summary: 'One role.',
  permission: 'UserRead',
  input: z.strictObject({ id }),
});
export const roleByName = defineQuery({
  name: 'roleByName',
  summary: 'One role; the case of the name does not matter.',
  permission: 'UserRead',
  input: z.strictObject({ name: z.string().max(200) }),
});
export const createRole = defineMutation({
  name: 'createRole',
  summary: 'Adds a role.',
  permission: 'UserModify',
  audit: 'CREATE_USER_ROLE',
  input: z.strictObject({
    name: roleName,
    permissions,
    logTypeAccess: logTypes.nullish(),
    logTypeAccessKind: accessKind.nullish(),
  }),
});
export const updateRole = defineMutation({
  name: 'updateRole',
  summary: 'Changes a role; permissions replace the whole set.',
  permission: 'UserModify',
  audit: 'UPDATE_USER_ROLE',
  input: z.strictObject({
    id,
    name: roleName.nullish(),
    permissions: permissions.nullish(),
    logTypeAccess: logTypes.nullish(),
    logTypeAccessKind: accessKind.nullish(),
  }),
});
export const deleteRole = defineMutation({
  name: 'deleteRole',
  summary: 'Deletes a role that nobody has.',
  permission: 'UserModify',
  audit: 'DELETE_USER_ROLE',
  input: z.strictObject({ id }),
});

export const userOperations = [
  users,
  userById,
  userByEmail,
  inviteUser,
  updateUser,
  deleteUser,
  roles,
  roleById,
  roleByName,
  createRole,
  updateRole,
  deleteRole,
];
