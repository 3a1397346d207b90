import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [Address, number];

/** What the guard thinks of an address: reachable by everybody, allowed by the operator, or refused. */
type AddressVerdict = 'public' | 'allowed' | 'refused';

export type AddressGuard = {
  /** Text of an IPv4 or IPv6 address, not a name. IPv4 inside IPv6 is judged as IPv4. */
  judge(address: string): AddressVerdict;
  /** True when the operator lets requests into some private range at all. */
  readonly allowsPrivate: boolean;
};

const toRange = (cidr: string): Range => ipaddr.parseCIDR(cidr);

/** IANA special-purpose blocks that ipaddr.js counts as ordinary unicast. */
const specialRanges: readonly Range[] = ['2001::/23', '3fff::/20', '5f00::/16'].map(toRange);
const globalUnicastIpv6: Range = toRange('2000::/3');

const isWithin = (address: Address, [network, bits]: Range): boolean =>
  address.kind() === network.kind() && address.match([network, bits]);

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address.kind() === 'ipv6' && !isWithin(address, globalUnicastIpv6)) return false;
  return !specialRanges.some((range) => isWithin(address, range));
}

/**
 * Keeps requests to tenant-given addresses out of private networks, loopback, link-local and metadata services
 * (OWASP ASVS 5.0, 15.3.2). `allowCidrs` is the operator's list of ranges that may be reached nevertheless.
 * Throws when an entry of the list is not a CIDR range.
 */
export function createAddressGuard(allowCidrs: readonly string[]): AddressGuard {
  const allowed = allowCidrs.map((cidr) => {
    if (!ipaddr.isValidCIDR(cidr)) throw new Error(`"${cidr}" is not an address range such as 10.1.0.0/16.`);
    return toRange(cidr);
  });
  return {
    allowsPrivate: allowed.length > 0,
    judge(text) {
      if (!ipaddr.isValid(text)) return 'refused';
      const address = ipaddr.process(text);
      if (allowed.some((range) => isWithin(address, range))) return 'allowed';
      return isPublic(address) ? 'public' : 'refused';
    },
  };
}
