import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';

export const generalSettings = defineQuery({
  name: 'generalSettings',
  summary: 'Version and settings of this deployment.',
  permission: ['GeneralSettingsRead', 'BulkUpload'],
  input: z.strictObject({}),
});

const isOrigin = (text: string): boolean =>
  URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text);

export const updateGeneralSettings = defineMutation({
  name: 'updateGeneralSettings',
  summary: 'Changes settings of the organization; what is absent stays.',
  permission: 'GeneralSettingsModify',
  audit: 'UPDATE_GENERAL_SETTINGS',
  input: z.strictObject({
    allowedOrigins: z
      .array(z.string().max(300).refine(isOrigin, 'is not an origin such as https://console.example.com'))
      .max(20, 'takes at most 20 origins')
      .nullish(),
  }),
});

export const settingsOperations = [generalSettings, updateGeneralSettings];
