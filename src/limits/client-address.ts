import { isIPv6 } from 'node:net';

/** The part of an IPv6 address that one customer of a network has: the first 64 of its 128 bits. */
const groupsOfNetwork = 4;

/**
 * Whom limits by address are meant for: the peer, or behind `proxyHops` proxies of one's own what the outermost of them has seen.
 * Anything further left in the header is what the client claims.
 */
export function clientAddress(peer: string, forwardedFor: string | undefined, proxyHops: number): string {
  const chain = [...(forwardedFor ?? '').split(','), peer]
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return networkOf(chain[Math.max(0, chain.length - 1 - proxyHops)] ?? peer);
}

/** An IPv6 address stands for its network, an IPv4 address for itself, however it is written. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  return `${groups
    .slice(0, groupsOfNetwork)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
