/** Log types of the corpus that this product ships no schema for: columns as their vendors name them. */

type Shape = string;

/** `name:type` separated by blanks; types as in schemas, `strings` and `objects` for arrays of them. */
export const corpusSchemas: Readonly<Record<string, Shape>> = {
  'Kubernetes.Control.Plane':
    'verb:string userAgent:string impersonated_user:string objectRef:object user:object requestObject:json responseObject:json response_object:json responseStatus:object',
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
