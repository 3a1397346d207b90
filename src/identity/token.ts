import ipaddr from 'ipaddr.js';
import type { ActorReference, Permission } from '#access';

/** A credential for programs. Its value is shown once, when it is made or rotated. */
export type ApiToken = {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** From which addresses it may be used; empty: from any. */
  readonly allowedCidrBlocks: readonly string[];
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
  readonly rotatedAt: Date | null;
  readonly lastUsedAt: Date | null;
  /** Null for tokens of earlier versions. */
  readonly createdBy: ActorReference | null;
  readonly updatedAt: Date | null;
  readonly updatedBy: ActorReference | null;
  readonly rotatedBy: ActorReference | null;
};

export const isCidr = (text: string): boolean => ipaddr.isValidCIDR(text);

/** IPv4 written inside IPv6 counts as IPv4. */
export function isAddressAllowed(address: string | undefined, blocks: readonly string[]): boolean {
  if (blocks.length === 0) return true;
  if (address === undefined || !ipaddr.isValid(address)) return false;
  const given = ipaddr.process(address);
  return blocks.some((block) => {
    const [network, bits] = ipaddr.parseCIDR(block);
    return network.kind() === given.kind() && given.match(network, bits);
  });
}
