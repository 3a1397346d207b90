import { expect, test } from 'vitest';
import { createAddressGuard } from './address-guard.ts';

const guard = createAddressGuard([]);

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '169.254.169.254',
  '169.254.170.2',
  '172.16.0.1',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '4000::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
  'localhost',
  '',
])('%s is refused', (address) => {
  expect(guard.judge(address)).toBe('refused');
});

test.each(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(guard.judge(address)).toBe('public');
});

test('a range on the allow list opens this range and nothing beside it', () => {
  const opened = createAddressGuard(['10.1.0.0/16', 'fd12::/32']);
  expect(['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '10.2.0.1', '127.0.0.1'].map((text) => opened.judge(text))).toEqual(
    ['allowed', 'allowed', 'allowed', 'refused', 'refused'],
  );
});

test('a wrong entry of the allow list is an error at the start, not a hole later', () => {
  expect(() => createAddressGuard(['10.0.0.0'])).toThrow('"10.0.0.0" is not an address range');
});
