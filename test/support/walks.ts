/** Ids of things of one tenant. */
export type WalkIds = {
  alert: string;
  delivery: string;
  systemError: string;
  source: string;
  destination: string;
  detection: string;
  token: string;
  batch: string;
  user: string;
  role: string;
  upload: string;
  session: string;
  validation: string;
  query: string;
  savedQuery: string;
};
/** How to ask for one root field, and what another tenant gets. */
export type Walk = {
  readonly query: (ids: WalkIds) => string;
  /** `none`: the stranger gets NOT_FOUND. `own`: a list or change of the caller's own. `null`: nothing, without an error. */
  readonly stranger: 'none' | 'own' | 'null';
};

/** Times of all alerts. */
export const walkSpan = 'createdAtAfter: "2000-01-01T00:00:00Z", createdAtBefore: "2100-01-01T00:00:00Z"';
/** Fields of a rule that never matches. */
export const ruleInput = (id: string) =>
  `{specification: "AnalysisType: rule\\nRuleID: ${id}\\nEnabled: true\\nFilename: x.py\\nLogTypes: [GitHub.Audit]\\nSeverity: Low\\n", body: "def rule(event):\\n    return False\\n"}`;
/** Fields of an HTTP source without authentication. */
export const httpSourceInput = (label: string) =>
  `integrationLabel: "${label}", logTypes: ["GitHub.Audit"], logStreamType: Auto, authMethod: None`;

/** An archive without files. */
const emptyZip = Buffer.from(`PK\u0005\u0006${'\0'.repeat(18)}`, 'latin1').toString('base64');

/** One entry for each root field of the schema. */
export const walks: Readonly<Record<string, Walk>> = {
  dataLakeDatabases: { query: () => '{ dataLakeDatabases { name tables { name } } }', stranger: 'own' },
  dataLakeDatabase: { query: () => '{ dataLakeDatabase(name: "panther_logs") { name } }', stranger: 'own' },
  dataLakeDatabaseTable: {
    query: () =>
      '{ dataLakeDatabaseTable(input: {databaseName: "panther_logs.public", tableName: "github_audit"}) { name columns { name type } } }',
    stranger: 'own',
  },
  dataLakeDatabaseTables: {
    query: () => '{ dataLakeDatabaseTables(input: {databaseName: "panther_logs"}) { edges { node { name } } } }',
    stranger: 'own',
  },
  dataLakeQuery: {
    query: ({ query }) => `{ dataLakeQuery(id: "${query}") { id status results { edges { node } } } }`,
    stranger: 'none',
  },
  dataLakeQueries: {
    query: () => '{ dataLakeQueries { edges { node { id sql progress { rowCount } } } } }',
    stranger: 'own',
  },
  executeDataLakeQuery: {
    query: () => 'mutation { executeDataLakeQuery(input: {sql: "select 1 as one"}) { id } }',
    stranger: 'own',
  },
  executeIndicatorSearchQuery: {
    query: () =>
      'mutation { executeIndicatorSearchQuery(input: {indicators: ["10.0.0.1"], startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-02T00:00:00Z"}) { id } }',
    stranger: 'own',
  },
  executeHistogramQuery: {
    query: () =>
      'mutation { executeHistogramQuery(input: {tables: ["github_audit"], where: "action is not null", startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-02T00:00:00Z"}) { id } }',
    stranger: 'own',
  },
  executeFieldStatisticsQuery: {
    query: () =>
      'mutation { executeFieldStatisticsQuery(input: {tables: ["github_audit"], fields: ["action"], startTime: "2026-01-01T00:00:00Z", endTime: "2026-01-02T00:00:00Z"}) { id } }',
    stranger: 'own',
  },
  savedQueries: { query: () => '{ savedQueries { edges { node { name sql } } } }', stranger: 'own' },
  savedQuery: {
    query: ({ savedQuery }) => `{ savedQuery(name: "${savedQuery}") { name sql } }`,
    stranger: 'none',
  },
  savedQueryVersions: {
    query: ({ savedQuery }) => `{ savedQueryVersions(name: "${savedQuery}") { version sql } }`,
    stranger: 'none',
  },
  createSavedQuery: {
    query: () => 'mutation { createSavedQuery(input: {name: "walk", sql: "select 1"}) { name } }',
    stranger: 'own',
  },
  updateSavedQuery: {
    query: ({ savedQuery }) =>
      `mutation { updateSavedQuery(input: {name: "${savedQuery}", sql: "select 2"}) { name version } }`,
    stranger: 'none',
  },
  executeSavedQuery: {
    query: ({ savedQuery }) => `mutation { executeSavedQuery(input: {name: "${savedQuery}"}) { id } }`,
    stranger: 'none',
  },
  cancelDataLakeQuery: {
    query: ({ query }) => `mutation { cancelDataLakeQuery(input: {id: "${query}"}) { id } }`,
    stranger: 'none',
  },
  isSignedIn: { query: () => '{ isSignedIn }', stranger: 'own' },
  alerts: { query: () => `{ alerts(input: {${walkSpan}}) { edges { node { id } } } }`, stranger: 'own' },
  alert: {
    query: ({ alert }) =>
      `{ alert(id: "${alert}") { id comments { id } deliveries { outputId } deliveryStates { id } events { edges { node } } } }`,
    stranger: 'none',
  },
  updateAlertStatusById: {
    query: ({ alert }) =>
      `mutation { updateAlertStatusById(input: {ids: ["${alert}"], status: TRIAGED}) { alerts { id } } }`,
    stranger: 'none',
  },
  createAlertComment: {
    query: ({ alert }) => `mutation { createAlertComment(input: {alertId: "${alert}", body: "x"}) { comment { id } } }`,
    stranger: 'none',
  },
  updateAlertsAssigneeById: {
    query: ({ alert, user }) =>
      `mutation { updateAlertsAssigneeById(input: {ids: ["${alert}"], assigneeId: "${user}"}) { alerts { id assignee { email } } } }`,
    stranger: 'none',
  },
  updateAlertsAssigneeByEmail: {
    query: ({ alert }) =>
      `mutation { updateAlertsAssigneeByEmail(input: {ids: ["${alert}"], assigneeEmail: "owned@example.com"}) { alerts { id assignee { email } } } }`,
    stranger: 'none',
  },
  retryDelivery: {
    query: ({ delivery }) => `mutation { retryDelivery(input: {id: "${delivery}"}) { delivery { id } } }`,
    stranger: 'none',
  },
  systemErrors: { query: () => '{ systemErrors { edges { node { id } } } }', stranger: 'own' },
  resolveSystemError: {
    query: ({ systemError }) => `mutation { resolveSystemError(input: {id: "${systemError}"}) { id } }`,
    stranger: 'none',
  },
  destinations: { query: () => '{ destinations { id name } }', stranger: 'own' },
  createWebhookDestination: {
    query: () =>
      'mutation { createWebhookDestination(input: {name: "walk", url: "https://example.com/", severities: [LOW]}) { id } }',
    stranger: 'own',
  },
  destination: {
    query: ({ destination }) => `{ destination(id: "${destination}") { id endpoint } }`,
    stranger: 'none',
  },
  updateWebhookDestination: {
    query: ({ destination }) =>
      `mutation { updateWebhookDestination(input: {id: "${destination}", name: "walked", severities: [LOW]}) { id } }`,
    stranger: 'none',
  },
  sendTestAlert: {
    query: ({ destination }) => `mutation { sendTestAlert(input: {id: "${destination}"}) { outputId success } }`,
    stranger: 'none',
  },
  deleteDestination: {
    query: ({ destination }) => `mutation { deleteDestination(input: {id: "${destination}"}) { id } }`,
    stranger: 'none',
  },
  sources: { query: () => '{ sources { edges { node { integrationId } } } }', stranger: 'own' },
  source: { query: ({ source }) => `{ source(id: "${source}") { integrationId } }`, stranger: 'null' },
  createHttpSource: {
    query: () => `mutation { createHttpSource(input: {${httpSourceInput('walk')}}) { logSource { integrationId } } }`,
    stranger: 'own',
  },
  updateHttpSource: {
    query: ({ source }) =>
      `mutation { updateHttpSource(input: {id: "${source}", ${httpSourceInput('walked')}}) { logSource { integrationId } } }`,
    stranger: 'none',
  },
  setLogSourceAlarm: {
    query: ({ source }) =>
      `mutation { setLogSourceAlarm(input: {sourceId: "${source}", type: SOURCE_NO_DATA, minutesThreshold: 60}) { alarm { minutesThreshold state } } }`,
    stranger: 'none',
  },
  logSourceAlarm: {
    query: ({ source }) =>
      `{ logSourceAlarm(sourceId: "${source}", type: SOURCE_NO_DATA) { type minutesThreshold state } }`,
    stranger: 'none',
  },
  deleteLogSourceAlarm: {
    query: ({ source }) =>
      `mutation { deleteLogSourceAlarm(input: {sourceId: "${source}", type: SOURCE_NO_DATA}) { type } }`,
    stranger: 'own',
  },
  deleteSource: {
    query: ({ source }) => `mutation { deleteSource(input: {id: "${source}"}) { id } }`,
    stranger: 'none',
  },
  updateSchemaStatus: {
    query: () =>
      'mutation { updateSchemaStatus(input: {name: "Custom.Nobody", isArchived: true}) { schema { name } error { code message } } }',
    stranger: 'own',
  },
  metrics: {
    query: () =>
      '{ metrics(input: {fromDate: "2026-01-01T00:00:00Z", toDate: "2030-01-01T00:00:00Z", intervalInMinutes: 1440}) { totalAlerts alertsPerSeverity { label breakdown } alertsPerRule { entityId } bytesProcessedPerSource { label value } } }',
    stranger: 'own',
  },
  updateGeneralSettings: {
    query: () =>
      'mutation { updateGeneralSettings(input: {allowedOrigins: ["https://console.example.com"]}) { generalSettings { allowedOrigins } } }',
    stranger: 'own',
  },
  generalSettings: { query: () => '{ generalSettings { pantherVersion } }', stranger: 'own' },
  schemas: { query: () => '{ schemas(input: {}) { edges { node { name } } } }', stranger: 'own' },
  createOrUpdateSchema: {
    query: () =>
      'mutation { createOrUpdateSchema(input: {name: "Custom.Walk", spec: "schema: Custom.Walk\\nfields:\\n  - { name: a, type: string }\\n"}) { schema { name } } }',
    stranger: 'own',
  },
  classificationFailures: {
    query: () => '{ classificationFailures(input: {from: "2000-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"}) }',
    stranger: 'own',
  },
  batch: { query: ({ batch }) => `{ batch(id: "${batch}") { id } }`, stranger: 'none' },
  replayBatch: { query: ({ batch }) => `mutation { replayBatch(input: {id: "${batch}"}) { id } }`, stranger: 'none' },
  users: { query: () => '{ users { id role { name } } }', stranger: 'own' },
  userById: { query: ({ user }) => `{ userById(id: "${user}") { id } }`, stranger: 'none' },
  userByEmail: { query: () => '{ userByEmail(email: "admin@owner.example") { id } }', stranger: 'none' },
  inviteUser: {
    query: () =>
      'mutation { inviteUser(input: {email: "walk@example.com", givenName: "W", familyName: "K", role: {kind: NAME, value: "Analyst"}}) { user { id } } }',
    stranger: 'own',
  },
  updateUser: {
    query: ({ user }) => `mutation { updateUser(input: {id: "${user}", givenName: "New"}) { user { givenName } } }`,
    stranger: 'none',
  },
  deleteUser: { query: ({ user }) => `mutation { deleteUser(input: {id: "${user}"}) { id } }`, stranger: 'none' },
  roles: { query: () => '{ roles { id name } }', stranger: 'own' },
  roleById: { query: ({ role }) => `{ roleById(id: "${role}") { id } }`, stranger: 'none' },
  roleByName: { query: () => '{ roleByName(name: "analyst") { name } }', stranger: 'own' },
  createRole: {
    query: () => 'mutation { createRole(input: {name: "Walk", permissions: [AlertRead]}) { role { id } } }',
    stranger: 'own',
  },
  updateRole: {
    query: ({ role }) =>
      `mutation { updateRole(input: {id: "${role}", permissions: [AlertModify]}) { role { permissions } } }`,
    stranger: 'none',
  },
  deleteRole: { query: ({ role }) => `mutation { deleteRole(input: {id: "${role}"}) { id } }`, stranger: 'none' },
  detections: { query: () => '{ detections { id } }', stranger: 'own' },
  detection: { query: ({ detection }) => `{ detection(id: "${detection}") { id } }`, stranger: 'none' },
  detectionVersions: {
    query: ({ detection }) => `{ detectionVersions(id: "${detection}") { version change changedBy specification } }`,
    stranger: 'none',
  },
  detectionStatistics: {
    query: () => '{ detectionStatistics(input: {since: "2000-01-01T00:00:00Z"}) { detectionId hour runs matches } }',
    stranger: 'own',
  },
  detectionConditions: {
    query: () => '{ detectionConditions { name group needs isNegated fieldTypes } }',
    stranger: 'own',
  },
  detectionCoverage: { query: () => '{ detectionCoverage { tactic technique detectionIds } }', stranger: 'own' },
  detectionRunsWhen: {
    query: ({ detection }) => `{ detectionRunsWhen(id: "${detection}") { witness reasons } }`,
    stranger: 'none',
  },
  rulePythonBody: {
    query: ({ detection }) => `{ rulePythonBody(input: "${detection}") { pythonBody tests { name resource } } }`,
    stranger: 'none',
  },
  testCorrelationRuleYAML: {
    query: () =>
      `mutation { testCorrelationRuleYAML(input: {yaml: "AnalysisType: correlation_rule\\nRuleID: Walk.Correlation\\nEnabled: true\\nSeverity: Low\\nDetection: [{Group: [{RuleID: A}], Schedule: {RateMinutes: 15, TimeoutMinutes: 5}}]\\n"}) { results { name passed error } } }`,
    stranger: 'own',
  },
  transpileSimpleDetectionsToPython: {
    query: () =>
      `mutation { transpileSimpleDetectionsToPython(input: {data: ["AnalysisType: rule\\nRuleID: Walk.Simple\\nEnabled: true\\nSeverity: Low\\nLogTypes: [T]\\nDetection: [{Key: a, Condition: Exists}]\\n"]}) { transpiledPython } }`,
    stranger: 'own',
  },
  transpileFilters: {
    query: () =>
      'mutation { transpileFilters(input: {data: ["[{\\"KeyPath\\": \\"a\\", \\"Condition\\": \\"Exists\\"}]"]}) { transpiledFilters } }',
    stranger: 'own',
  },
  detectionEntitiesUploadStatus: {
    query: ({ upload }) => `{ detectionEntitiesUploadStatus(receiptId: "${upload}") { status error } }`,
    stranger: 'none',
  },
  validateBulkUploadStatus: {
    query: ({ validation }) => `{ validateBulkUploadStatus(receiptId: "${validation}") { status error } }`,
    stranger: 'none',
  },
  generateEnrichedEvent: {
    query: () => '{ generateEnrichedEvent(input: {event: {p_log_type: "T", a: 1}}) { enrichedEvent } }',
    stranger: 'own',
  },
  bulkUploadPresignedUrl: {
    query: () => '{ bulkUploadPresignedUrl(input: {pypantherVersion: "1"}) { detectionsURL sessionId } }',
    stranger: 'own',
  },
  bulkUploadDetections: {
    query: ({ session }) => `mutation { bulkUploadDetections(input: {sessionId: "${session}", dryRun: true}) { id } }`,
    stranger: 'none',
  },
  bulkUploadDetectionsStatus: {
    query: ({ upload }) => `{ bulkUploadDetectionsStatus(jobId: "${upload}") { status message } }`,
    stranger: 'none',
  },
  featureFlags: {
    query: () => '{ featureFlags(input: {flags: [{flag: "EnableCorrelationRules"}]}) { flags { flag treatment } } }',
    stranger: 'own',
  },
  uploadDetectionEntities: {
    query: () =>
      `mutation { uploadDetectionEntities(input: {data: "${emptyZip}"}) { rules { total } scheduledPrompts { total } } }`,
    stranger: 'own',
  },
  uploadDetectionEntitiesAsync: {
    query: () => `mutation { uploadDetectionEntitiesAsync(input: {data: "${emptyZip}"}) { receiptId } }`,
    stranger: 'own',
  },
  validateBulkUpload: {
    query: () => `mutation { validateBulkUpload(input: {data: "${emptyZip}"}) { receiptId } }`,
    stranger: 'own',
  },
  deleteDetections: {
    query: ({ detection }) =>
      `mutation { deleteDetections(input: {ids: ["${detection}"], dryRun: true}) { ids savedQueryNames } }`,
    stranger: 'own',
  },
  deleteSavedQueriesByName: {
    query: () => 'mutation { deleteSavedQueriesByName(input: {names: ["walk"], dryRun: true}) { names detectionIDs } }',
    stranger: 'own',
  },
  saveDetection: {
    query: () => `mutation { saveDetection(input: ${ruleInput('Walk.Saved')}) { id } }`,
    stranger: 'own',
  },
  testDetection: {
    query: () => `mutation { testDetection(input: ${ruleInput('Walk.Tested')}) { name } }`,
    stranger: 'own',
  },
  setDetectionEnabled: {
    query: ({ detection }) => `mutation { setDetectionEnabled(input: {id: "${detection}", isEnabled: true}) { id } }`,
    stranger: 'none',
  },
  deleteDetection: {
    query: ({ detection }) => `mutation { deleteDetection(input: {id: "${detection}"}) { id } }`,
    stranger: 'none',
  },
  retention: { query: () => '{ retention { effective { rawDays } } }', stranger: 'own' },
  updateRetention: {
    query: () => 'mutation { updateRetention(input: {rawDays: 20}) { own { rawDays } } }',
    stranger: 'own',
  },
  apiTokens: { query: () => '{ apiTokens { id } }', stranger: 'own' },
  createAPIToken: {
    query: () => 'mutation { createAPIToken(input: {name: "walk", permissions: [AlertRead]}) { token { id } } }',
    stranger: 'own',
  },
  updateAPIToken: {
    query: ({ token }) =>
      `mutation { updateAPIToken(input: {id: "${token}", allowedCIDRBlocks: ["10.0.0.0/8"]}) { token { id createdBy { email } } } }`,
    stranger: 'none',
  },
  deleteAPIToken: {
    query: ({ token }) => `mutation { deleteAPIToken(input: {id: "${token}"}) { id } }`,
    stranger: 'none',
  },
  rotateAPIToken: { query: () => 'mutation { rotateAPIToken { token { value } } }', stranger: 'own' },
  auditEvents: {
    query: () => '{ auditEvents(input: {pageSize: 100}) { edges { node { sequence targetId } } } }',
    stranger: 'own',
  },
};

/** Ids that nobody has. */
export const unknownIds: WalkIds = {
  alert: 'f'.repeat(32),
  delivery: 'e'.repeat(32),
  systemError: crypto.randomUUID(),
  source: crypto.randomUUID(),
  destination: crypto.randomUUID(),
  detection: 'No.Such',
  token: crypto.randomUUID(),
  batch: crypto.randomUUID(),
  user: crypto.randomUUID(),
  role: crypto.randomUUID(),
  upload: crypto.randomUUID(),
  session: crypto.randomUUID(),
  validation: crypto.randomUUID(),
  query: crypto.randomUUID(),
  savedQuery: 'No such search',
};
