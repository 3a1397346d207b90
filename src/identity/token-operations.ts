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

export const createAPIToken = defineMutation({
  name: 'createAPIToken',
  summary: 'Makes an API token. Its value is in the answer and nowhere else.',
  permission: 'OrganizationAPITokenModify',
  audit: 'CREATE_API_TOKEN',
  input: z.strictObject({
    name: z.string().trim().min(1, 'is empty').max(200),
    permissions: z
      .array(z.string().refine(isPermission, 'is not a permission'))
      .min(1, 'needs one permission or more')
      .max(allPermissions.length),
    allowedCIDRBlocks: z
      .array(z.string().refine(isCidr, 'is not an address range such as 203.0.113.0/24'))
      .max(100)
      .nullish(),
    expiresAt: z.date().nullish(),
  }),
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

export const tokenOperations = [apiTokens, createAPIToken, deleteAPIToken, rotateAPIToken];
