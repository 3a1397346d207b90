import { z } from 'zod';
import { contentId, describing, fileName, resourceTest, severity, textSet } from './common.ts';

/** Policies on cloud resources. */

const resourceTypes = [
  'ACM.Certificate',
  'CloudFormation.Stack',
  'CloudTrail',
  'CloudTrail.Meta',
  'CloudWatch.LogGroup',
  'Config.Recorder',
  'Config.Recorder.Meta',
  'DynamoDB.Table',
  'EC2.AMI',
  'EC2.Instance',
  'EC2.NetworkACL',
  'EC2.SecurityGroup',
  'EC2.Volume',
  'EC2.VPC',
  'ECS.Cluster',
  'EKS.Cluster',
  'ELBV2.ApplicationLoadBalancer',
  'GuardDuty.Detector',
  'GuardDuty.Detector.Meta',
  'IAM.Group',
  'IAM.Policy',
  'IAM.Role',
  'IAM.RootUser',
  'IAM.User',
  'KMS.Key',
  'Lambda.Function',
  'PasswordPolicy',
  'RDS.Instance',
  'Redshift.Cluster',
  'Route53.HostedZone',
  'Route53Domains',
  'S3.Bucket',
  'WAF.Regional.WebACL',
  'WAF.WebACL',
].map((name) => `AWS.${name}`);

const resourceType = z.string().refine((name) => resourceTypes.includes(name), {
  error: ({ input }) => `"${String(input)}" is not a resource type`,
});

export const policySpec = z.strictObject({
  AnalysisType: z.literal('policy'),
  PolicyID: contentId,
  Enabled: z.boolean(),
  Filename: fileName,
  Severity: severity,
  ResourceTypes: z.array(resourceType).max(500).optional(),
  ActionDelaySeconds: z.number().int().min(0).optional(),
  AutoRemediationID: z.string().max(1000).optional(),
  AutoRemediationParameters: z.record(z.string(), z.unknown()).optional(),
  Suppressions: textSet(z.string().min(1).max(1000)).optional(),
  ...describing,
  Tests: z.array(resourceTest).max(500).optional(),
});

export type PolicySpec = z.output<typeof policySpec>;
