import path from 'node:path';
import type { Settings } from '#platform/config';
import { createLocalObjectStore, createS3ObjectStore, type ObjectStore } from '#platform/objects';

/** Where objects lie: in the bucket when one is configured, else in the data folder. */
export function openObjects(settings: Settings, dataDir: string): ObjectStore & { close(): void } {
  const { S3_BUCKET: bucket, S3_ENDPOINT: endpoint } = settings;
  if (bucket === undefined) return { ...createLocalObjectStore(path.join(dataDir, 'objects')), close: () => undefined };
  const { MARGAY_S3_ACCESS_KEY_ID: accessKeyId, MARGAY_S3_SECRET_ACCESS_KEY: secretAccessKey } = settings;
  const credentials =
    accessKeyId === undefined || secretAccessKey === undefined ? undefined : { accessKeyId, secretAccessKey };
  return createS3ObjectStore({
    bucket,
    endpoint,
    credentials,
    region: settings.MARGAY_S3_REGION,
    isPathStyle: settings.MARGAY_S3_PATH_STYLE ?? endpoint !== undefined,
  });
}
