/** Every permission a role or token can hold, with the title people see. The API names are those clients already use. */
export const permissionTitles = {
  AlertRead: 'Read Alerts',
  AlertModify: 'Manage Alerts',
  BulkUpload: 'Bulk Upload',
  BulkUploadValidate: 'Bulk Upload Validate',
  CloudsecSourceRead: 'View Cloud Security Sources',
  CloudsecSourceModify: 'Manage Cloud Security Sources',
  DataAnalyticsRead: 'Query Data Lake',
  DataAnalyticsModify: 'Manage Saved Searches',
  DestinationRead: 'View Destinations',
  DestinationModify: 'Manage Destinations',
  GeneralSettingsRead: 'Read Settings & SAML Preferences',
  GeneralSettingsModify: 'Edit Settings & SAML Preferences',
  LogSourceRead: 'View Log Sources',
  LogSourceModify: 'Manage Log Sources',
  LogSourceRawDataRead: 'View Log Source Raw Data',
  LookupRead: 'View Lookups',
  LookupModify: 'Manage Lookups',
  OrganizationAPITokenRead: 'Read API Token Info',
  OrganizationAPITokenModify: 'Manage API Tokens',
  PolicyRead: 'View Policies',
  PolicyModify: 'Manage Policies',
  ResourceRead: 'View Resources',
  ResourceModify: 'Manage Resources',
  RuleRead: 'View Rules',
  RuleModify: 'Manage Rules',
  RunPantherAI: 'Run AI',
  SummaryRead: 'Read Metrics',
  UserRead: 'Read User Info',
  UserModify: 'Manage Users',
  AIRunAsModify: 'AI Run As',
  ManageAIResponses: 'Manage AI Responses',
  ViewAIPrivateResponses: 'View AI Private Responses',
  ManageAISkills: 'Manage AI Skills',
  ViewAISkills: 'View AI Skills',
  ManageScheduledPrompts: 'Manage Scheduled Prompts',
  ViewScheduledPrompts: 'View Scheduled Prompts',
  McpServerModify: 'Manage MCP Servers',
  McpServerRead: 'View & Connect to MCP Servers',
  NotificationsSend: 'Send Notifications',
} as const;

export type Permission = keyof typeof permissionTitles;

export const allPermissions: readonly Permission[] = (Object.keys(permissionTitles) as Permission[]).toSorted();

export function isPermission(text: string): text is Permission {
  return Object.hasOwn(permissionTitles, text);
}

/** Managing something includes reading it; the stored set stays as it was given. */
const implied: Readonly<Partial<Record<Permission, readonly Permission[]>>> = {
  AlertModify: ['AlertRead'],
  BulkUpload: ['BulkUploadValidate'],
  CloudsecSourceModify: ['CloudsecSourceRead'],
  DataAnalyticsModify: ['DataAnalyticsRead'],
  DestinationModify: ['DestinationRead'],
  GeneralSettingsModify: ['GeneralSettingsRead'],
  LogSourceModify: ['LogSourceRead'],
  LookupModify: ['LookupRead'],
  OrganizationAPITokenModify: ['OrganizationAPITokenRead'],
  PolicyModify: ['PolicyRead'],
  ResourceModify: ['ResourceRead'],
  RuleModify: ['RuleRead'],
  UserModify: ['UserRead'],
  ManageAISkills: ['ViewAISkills'],
  ManageScheduledPrompts: ['ViewScheduledPrompts'],
  McpServerModify: ['McpServerRead'],
};

/** The given permissions and all they imply. */
export function effectivePermissions(granted: Iterable<Permission>): ReadonlySet<Permission> {
  const effective = new Set<Permission>();
  for (const permission of granted) {
    effective.add(permission);
    for (const other of implied[permission] ?? []) effective.add(other);
  }
  return effective;
}

const analystReads: readonly Permission[] = [
  'AlertRead',
  'CloudsecSourceRead',
  'DataAnalyticsRead',
  'DestinationRead',
  'GeneralSettingsRead',
  'LogSourceRead',
  'LookupRead',
  'PolicyRead',
  'ResourceRead',
  'RuleRead',
  'SummaryRead',
  'UserRead',
];

/** Roles each tenant starts with. Admin always holds every permission, also those of later versions. */
export const builtInRoles: readonly { readonly name: string; readonly permissions: readonly Permission[] }[] = [
  { name: 'Admin', permissions: allPermissions },
  {
    name: 'Analyst',
    permissions: [
      ...analystReads,
      'AlertModify',
      'BulkUpload',
      'BulkUploadValidate',
      'DataAnalyticsModify',
      'PolicyModify',
      'ResourceModify',
      'RuleModify',
    ],
  },
  { name: 'AnalystReadOnly', permissions: analystReads },
];
