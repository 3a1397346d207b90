import { z } from 'zod';
import { allPermissions, defineMutation, defineQuery, isPermission } from '#access';
import { isCidr } from './token.ts';

const id = z.uuid('is not the id of a token');

export const apiTokens = defineQuery({
  name: 'apiTokens',
  summary: 'The API tokens of the organization, without their values.',
  permission: 'OrganizationAPITokenRead',
  input: z.strictObject({}),
});

const name = z.string().trim().min(1, 'is empty').max(200);
const permissions = z
  .array(z.string().refine(isPermission, 'is not a permission'))
  .min(1, 'needs one permission or more')
  .max(allPermissions.length);
const allowedCIDRBlocks = z.array(z.string().refine(isCidr, 'is not an address range such as 203.0.113.0/24')).max(100);

export const createAPIToken = defineMutation({
  name: 'createAPIToken',
  summary: 'Makes an API token. Its value is in the answer and nowhere else.',
  permission: 'OrganizationAPITokenModify',
  audit: 'CREATE_API_TOKEN',
  input: z.strictObject({
    name,
    permissions,
    allowedCIDRBlocks: allowedCIDRBlocks.nullish(),
    expiresAt: z.date().nullish(),
  }),
});

export const updateAPIToken = defineMutation({
  name: 'updateAPIToken',
  summary: 'Changes name, permissions and address ranges of an API token; its value stays.',
  permission: 'OrganizationAPITokenModify',
  audit: 'UPDATE_API_TOKEN',
  input: z.strictObject({
    id,
    name: name.nullish(),
    permissions: permissions.nullish(),
    allowedCIDRBlocks: allowedCIDRBlocks.nullish(),
  }),
});

/** Tokens named as the authors of something; not a root field of its own. */
export const tokenReferences = defineQuery({
  name: 'tokenReferences',
  summary: 'API tokens by their ids.',
  permission: 'signed-in',
  input: z.strictObject({ ids: z.array(z.string().max(200)).max(1000) }),
});

/** One token by its id, for REST; not a root field of its own. */
export const apiToken = defineQuery({
  name: 'apiToken',
  summary: 'One API token, without its value.',
  permission: 'OrganizationAPITokenRead',
  input: z.strictObject({ id }),
});

/** The calling token, which may always read itself. */
export const ownAPIToken = defineQuery({
  name: 'ownAPIToken',
  summary: 'The calling API token, without its value.',
  permission: 'signed-in',
  input: z.strictObject({}),
});

export const rotateOtherAPIToken = defineMutation({
  name: 'rotateOtherAPIToken',
  summary: 'Gives an API token a new value; the old one stops working at once.',
  permission: 'OrganizationAPITokenModify',
  audit: 'ROTATE_API_TOKEN',
  input: z.strictObject({ id }),
});

export const deleteAPIToken = defineMutation({
  name: 'deleteAPIToken',
  summary: 'Revokes an API token at once.',
  permission: 'OrganizationAPITokenModify',
  audit: 'DELETE_API_TOKEN',
  input: z.strictObject({ id }),
});

export const rotateAPIToken = defineMutation({
  name: 'rotateAPIToken',
  summary: 'Gives the calling token a new value; the old one stops working at once.',
  permission: 'signed-in',
  audit: 'ROTATE_API_TOKEN',
  input: z.strictObject({}),
});

export const tokenOperations = [apiTokens, createAPIToken, updateAPIToken, deleteAPIToken, rotateAPIToken];
