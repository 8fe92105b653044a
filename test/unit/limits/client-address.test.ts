import { expect, it } from 'vitest';
import { clientAddress } from '../../../src/limits/client-address.ts';

it.each<[string, [string, string | undefined, number], string]>([
  ['without proxies is the peer, whatever the header claims', ['9.9.9.9', '1.1.1.1', 0], '9.9.9.9'],
  ['behind a proxy is what that proxy has seen', ['10.0.0.1', '6.6.6.6, 1.1.1.1', 1], '1.1.1.1'],
  ['behind two is what the outer one has seen', ['10.0.0.1', '6.6.6.6, 1.1.1.1, 10.0.0.2', 2], '1.1.1.1'],
  ['is the peer where the proxy says nothing', ['10.0.0.1', undefined, 1], '10.0.0.1'],
  ['is the outermost known where there are fewer proxies than said', ['10.0.0.1', '1.1.1.1', 5], '1.1.1.1'],
  ['of IPv4 is one address, also written as IPv6', ['::ffff:9.9.9.9', undefined, 0], '9.9.9.9'],
  ['of IPv6 is its network', ['2001:db8:1:2:3:4:5:6', undefined, 0], '2001:db8:1:2::/64'],
  [
    'of IPv6 is the same however it is written',
    ['2001:0DB8:0001:0002::6', undefined, 0],
    '2001:db8:1:2::/64',
  ],
  ['of IPv6 may begin with zeros', ['::1', undefined, 0], '0:0:0:0::/64'],
  ['of IPv6 leaves the interface out', ['fe80::1%eth0', undefined, 0], 'fe80:0:0:0::/64'],
])('the address %s', (_, [peer, forwardedFor, proxyHops], expected) => {
  expect(clientAddress(peer, forwardedFor, proxyHops)).toBe(expected);
});
