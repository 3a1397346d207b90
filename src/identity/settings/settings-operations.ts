import { z } from 'zod';
import { defineQuery } from '#access';

export const generalSettings = defineQuery({
  name: 'generalSettings',
  summary: 'Version and settings of this deployment.',
  permission: ['GeneralSettingsRead', 'BulkUpload'],
  input: z.strictObject({}),
});

export const settingsOperations = [generalSettings];
