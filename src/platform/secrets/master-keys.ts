import { createHash } from 'node:crypto';
import { open, seal } from './seal.ts';

/** Keys of the deployment, 32 bytes in base64: the one that wraps, and earlier ones that may still open. */
export type MasterKeyTexts = { readonly current: string; readonly previous: readonly string[] };

type MasterKey = { readonly id: string; readonly bytes: Buffer };

type WrappedKey = { readonly wrapped: Uint8Array; readonly masterKeyId: string | null };

export type MasterKeys = {
  /** Names the current key without telling anything about it. */
  readonly currentId: string;
  wrap(tenantId: string, dataKey: Uint8Array): { readonly wrapped: Buffer; readonly masterKeyId: string };
  /** Undefined when none of the keys opens it. */
  unwrap(tenantId: string, wrapped: WrappedKey): Buffer | undefined;
};

function parseKey(text: string): MasterKey {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 32) throw new Error('A master key has 32 bytes.');
  return { id: createHash('sha256').update('margay master key').update(bytes).digest('hex').slice(0, 16), bytes };
}

function tryOpen(key: MasterKey, bound: string, wrapped: Uint8Array): Buffer | undefined {
  try {
    return open(key.bytes, bound, wrapped);
  } catch {
    return undefined;
  }
}

/** Wraps tenants' data keys. A key wrapped for one tenant does not open as another's. */
export function createMasterKeys({ current: currentText, previous }: MasterKeyTexts): MasterKeys {
  const current = parseKey(currentText);
  const all = [current, ...previous.map(parseKey)];
  const boundTo = (tenantId: string): string => `tenant ${tenantId}`;
  return {
    currentId: current.id,
    wrap: (tenantId, dataKey) => ({
      wrapped: seal(current.bytes, boundTo(tenantId), dataKey),
      masterKeyId: current.id,
    }),
    unwrap(tenantId, { wrapped, masterKeyId }) {
      const candidates = all.filter((key) => masterKeyId === null || key.id === masterKeyId);
      for (const key of candidates) {
        const opened = tryOpen(key, boundTo(tenantId), wrapped);
        if (opened !== undefined) return opened;
      }
      return undefined;
    },
  };
}
