/** Log types of the corpus that this product ships no schema for: columns as their vendors name them. */

type Shape = string;

/** `name:type` separated by blanks; types as in schemas, `strings` and `objects` for arrays of them. */
export const corpusSchemas: Readonly<Record<string, Shape>> = {
  'Auth0.Events': 'log_id:string date:timestamp data:json',
  'AWS.VPCDns':
    'account_id:string region:string vpc_id:string query_name:string query_type:string rcode:string srcAddr:string srcPort:string srcIds:object',
  'Azure.Audit':
    'time:timestamp operationName:string category:string resultType:string tenantId:string properties:json',
  'Crowdstrike.AIDMaster': 'aid:string cid:string aip:string ComputerName:string',
  'Crowdstrike.Unknown': 'event_simpleName:string ContextProcessId:bigint unknown_payload:json',
  'Crowdstrike.ProcessRollup2': 'targetprocessid:bigint parentprocessid:bigint commandline:string imagefilename:string',
  'Crowdstrike.FDREvent':
    'aid:string aip:string fdr_event_type:string event_simpleName:string event_platform:string ContextProcessId:string TargetProcessId_decimal:string event:json',
  'Dropbox.TeamEvent': 'timestamp:timestamp event_type:object actor:object assets:objects',
  'GitHub.Webhook': 'ref:string commits:objects head_commit:object repository:object',
  'GSuite.ActivityEvent': 'id:object actor:object ipAddress:string name:string type:string parameters:json',
  'Amazon.EKS.Audit':
    'verb:string userAgent:string requestURI:string sourceIPs:strings source_ips:strings objectRef:object user:object impersonatedUser:object requestObject:json responseObject:json responseStatus:object',
  'Kubernetes.Control.Plane':
    'verb:string userAgent:string impersonated_user:string objectRef:object user:object requestObject:json responseObject:json response_object:json responseStatus:object',
  'Notion.AuditLogs': 'event:json',
  'Panther.Audit': 'actionName:string sourceIP:string actor:object',
  'OnePassword.SignInAttempt': 'uuid:string category:string type:string country:string client:object',
  'Snowflake.QueryHistory':
    'query_id:string query_text:string query_type:string query_tag:string user_name:string role_name:string execution_status:string start_time:timestamp end_time:timestamp bytes_written_to_result:bigint',
  'Snowflake.LoginHistory':
    'event_id:bigint event_timestamp:timestamp event_type:string user_name:string client_ip:string reported_client_type:string reported_client_version:string first_authentication_factor:string second_authentication_factor:string is_success:string error_code:int error_message:string',
  'Snowflake.Sessions': 'session_id:bigint created_on:timestamp user_name:string client_environment:json',
  'Snowflake.GrantsToUsers':
    'created_on:timestamp deleted_on:timestamp role:string granted_to:string grantee_name:string granted_by:string',
  'Snowflake.DataTransferHistory':
    'start_time:timestamp end_time:timestamp source_cloud:string source_region:string target_cloud:string target_region:string bytes_transferred:bigint',
  'Snowflake.Users': 'name:string has_rsa_public_key:string disabled:string',
  'Lookup.OTX.Pulses':
    'id:string name:string description:string adversary:string malware_families:strings industries:strings target_countries:strings attack_ids:strings tags:strings tlp:string created:timestamp modified:timestamp indicator:string indicator_type:string',
  'Lookup.Tor.Exit.Nodes': 'ip:string',
  'Lookup.Okta.AD.PantherFlow.Baseline.90d':
    'user_email:string baseline_total_events:bigint baseline_active_days:bigint baseline_mean_events_per_hour:float baseline_stddev_events_per_hour:float baseline_mean_ip_diversity_per_hour:float baseline_stddev_ip_diversity_per_hour:float baseline_mean_country_diversity_per_hour:float baseline_stddev_country_diversity_per_hour:float baseline_mean_city_diversity_per_hour:float baseline_stddev_city_diversity_per_hour:float baseline_mean_device_diversity_per_hour:float baseline_stddev_device_diversity_per_hour:float primary_country:string primary_city:string primary_ip:string baseline_updated_at:timestamp',
  'Lookup.Okta.Baseline.90d': [
    'user_email:string primary_country:string primary_city:string active_utc_hour_slots:ints active_slot_count:bigint',
    'swa_known_ips:strings swa_known_user_agents:strings policy_known_ips:strings policy_known_user_agents:strings',
    ...[
      'policy_changes',
      'weakenings',
      'enrollments',
      'admin_enrollments',
      'swa_events',
      'extractions',
      'credential_access',
    ].map((name) => `baseline_total_${name}:bigint`),
    'baseline_active_days:bigint baseline_active_days_policy:bigint baseline_active_days_enrollment:bigint baseline_active_days_swa:bigint baseline_active_days_extraction:bigint baseline_hours_with_activity:bigint',
    ...[
      'policy_changes',
      'weakenings',
      'enrollments',
      'admin_enrollments',
      'targets',
      'swa_events',
      'app_diversity',
      'country_diversity',
      'ip_diversity',
      'extractions',
      'victim_diversity',
      'credential_access',
      'inactive_slot_ratio',
    ].flatMap((name) => [`mean_${name}_per_hour:float`, `stddev_${name}_per_hour:float`]),
  ].join(' '),
};
