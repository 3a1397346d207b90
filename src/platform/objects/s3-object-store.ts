import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { DomainError } from '#platform/errors';
import { checkedKey, type ObjectStore } from './object-store.ts';
import { isContested, isMissing, isThere, objectStoreError, statusOf } from './s3-errors.ts';

type S3Address = {
  readonly bucket: string;
  readonly region: string;
  /** Of a server that is not Amazon's. */
  readonly endpoint?: string | undefined;
  /** The bucket in the path instead of the host name, as most servers that are not Amazon's want it. */
  readonly isPathStyle: boolean;
  /** Without: the SDK's own chain (environment, web identity, instance profile). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
};

const timeouts = { connectMs: 3000, requestMs: 30_000 };
const attemptsMax = 4;
const contestedPauseMs = 50;
const contestedMax = 20;
const pageMax = 1000;
const writerTag = 'margay-writer';

function openClient(address: S3Address): S3Client {
  return new S3Client({
    region: address.region,
    forcePathStyle: address.isPathStyle,
    maxAttempts: attemptsMax,
    requestHandler: {
      connectionTimeout: timeouts.connectMs,
      requestTimeout: timeouts.requestMs,
      throwOnRequestTimeout: true,
      httpAgent: { maxSockets: 64 },
      httpsAgent: { maxSockets: 64 },
    },
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint }),
    ...(address.credentials === undefined ? {} : { credentials: address.credentials }),
  });
}

/** Runs a request; its failure in the product's terms. `known` is rethrown as it is, for the caller to judge. */
async function asked<T>(
  action: string,
  key: string,
  work: Promise<T>,
  known: (error: unknown) => boolean = () => false,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw known(error) ? error : objectStoreError(action, key, error);
  }
}

function createReads(client: S3Client, bucket: string): Pick<ObjectStore, 'get' | 'list'> {
  const page = (prefix: string, startAfter: string | undefined, size: number) =>
    asked(
      'list objects',
      prefix,
      client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: startAfter, MaxKeys: size })),
    );
  return {
    async get(key) {
      const read = async (): Promise<Buffer> => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: checkedKey(key) }));
        return Buffer.from((await Body?.transformToByteArray()) ?? []);
      };
      return asked('give an object', key, read(), isMissing).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
        throw new DomainError('not_found', { publicMessage: 'The stored object is gone.', detail: { key } });
      });
    },
    async list(prefix, { startAfter, limit = pageMax } = {}) {
      const found: string[] = [];
      let after = startAfter;
      while (found.length < limit) {
        const { Contents = [], IsTruncated } = await page(prefix, after, Math.min(pageMax, limit - found.length));
        const keys = Contents.flatMap(({ Key }) => Key ?? []);
        found.push(...keys);
        after = keys.at(-1);
        if (IsTruncated !== true || after === undefined) break;
      }
      return found;
    },
  };
}

/** Puts that take effect only when the key is new. */
function createNewPuts(client: S3Client, bucket: string) {
  const writerOf = async (key: string): Promise<string | undefined> => {
    const head = client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    const { Metadata } = await asked('tell of an object', key, head, isMissing).catch((error: unknown) => {
      if (isMissing(error)) return { Metadata: undefined };
      throw error;
    });
    return Metadata?.[writerTag];
  };
  const isNew = async (key: string): Promise<boolean> => {
    const head = client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return asked('tell of an object', key, head, isMissing).then(
      () => false,
      (error: unknown) => {
        if (isMissing(error)) return true;
        throw error;
      },
    );
  };
  const send = (key: string, bytes: Uint8Array, writer: string, isConditional: boolean) =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytes,
        Metadata: { [writerTag]: writer },
        ...(isConditional ? { IfNoneMatch: '*' } : {}),
      }),
    );
  /** Looks, writes, and looks whose bytes stayed. Two writers in the same moment may both be told that they won. */
  const putLooking = async (key: string, bytes: Uint8Array, writer: string): Promise<boolean> => {
    if (!(await isNew(key))) return false;
    await asked('take an object', key, send(key, bytes, writer, false));
    return (await writerOf(key)) === writer;
  };
  return async (key: string, bytes: Uint8Array): Promise<boolean> => {
    const writer = randomUUID();
    const isAnswer = (error: unknown) => isThere(error) || isContested(error) || statusOf(error) === 501;
    for (let round = 0; ; round += 1) {
      try {
        await asked('take an object', key, send(key, bytes, writer, true), isAnswer);
        return true;
      } catch (error) {
        // The first answer may have been lost and the request repeated: then the object that is in the way is our own.
        if (isThere(error)) return (await writerOf(key)) === writer;
        if (statusOf(error) === 501) return putLooking(key, bytes, writer);
        if (!isContested(error) || round >= contestedMax)
          throw error instanceof DomainError ? error : objectStoreError('take an object', key, error);
        await sleep(contestedPauseMs);
      }
    }
  };
}

/**
 * Objects of an S3 bucket. The service's acknowledgement is what makes a put durable. `putNew` is a conditional put
 * (`If-None-Match: *`); a server that says it has none is asked first and looked at afterwards.
 */
export function createS3ObjectStore(address: S3Address): ObjectStore & { close(): void } {
  const client = openClient(address);
  const { bucket } = address;
  const putNew = createNewPuts(client, bucket);
  return {
    ...createReads(client, bucket),
    async put(key, bytes) {
      const command = new PutObjectCommand({ Bucket: bucket, Key: checkedKey(key), Body: bytes });
      await asked('take an object', key, client.send(command));
    },
    putNew: async (key, bytes) => putNew(checkedKey(key), bytes),
    async delete(key) {
      const command = new DeleteObjectCommand({ Bucket: bucket, Key: checkedKey(key) });
      await asked('delete an object', key, client.send(command), isMissing).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    },
    close: () => client.destroy(),
  };
}
