/** Standard fields that gather indicators, in the order in which they are written and asked. */
export const indicatorFields = [
  'p_any_actor_ids',
  'p_any_aws_account_ids',
  'p_any_aws_arns',
  'p_any_aws_instance_ids',
  'p_any_aws_tags',
  'p_any_domain_names',
  'p_any_emails',
  'p_any_ip_addresses',
  'p_any_mac_addresses',
  'p_any_md5_hashes',
  'p_any_serial_numbers',
  'p_any_sha1_hashes',
  'p_any_sha256_hashes',
  'p_any_trace_ids',
  'p_any_usernames',
] as const;

export type IndicatorField = (typeof indicatorFields)[number];
