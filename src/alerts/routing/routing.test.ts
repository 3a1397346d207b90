import { expect, test } from 'vitest';
import { routeAlert, type RoutedAlert, type RoutedDestination } from './routing.ts';

const destination = (over: Partial<RoutedDestination>): RoutedDestination => ({
  id: '1',
  name: 'One',
  severities: ['HIGH', 'CRITICAL'],
  alertTypes: [],
  logTypes: [],
  isEnabled: true,
  ...over,
});
const alert = (over: Partial<RoutedAlert> = {}): RoutedAlert => ({
  type: 'RULE',
  severity: 'HIGH',
  logTypes: ['AWS.CloudTrail'],
  destinations: null,
  ...over,
});
const two = destination({ id: '2', name: 'Two', severities: ['LOW'] });
const all = [destination({}), two];

test('settings decide by severity, alert type and log type', () => {
  expect(routeAlert(alert(), all)).toEqual(['1']);
  expect(routeAlert(alert({ severity: 'LOW' }), all)).toEqual(['2']);
  expect(routeAlert(alert({ severity: 'INFO' }), all)).toEqual([]);
  expect(routeAlert(alert(), [destination({ alertTypes: ['RULE_ERROR'] })])).toEqual([]);
  expect(routeAlert(alert(), [destination({ alertTypes: ['RULE_ERROR', 'RULE'] })])).toEqual(['1']);
  expect(routeAlert(alert(), [destination({ logTypes: ['Okta.SystemLog'] })])).toEqual([]);
  const mixed = alert({ logTypes: ['AWS.CloudTrail', 'Okta.SystemLog'] });
  expect(routeAlert(mixed, [destination({ logTypes: ['Okta.SystemLog'] })])).toEqual(['1']);
});

test('a detection may name destinations by name or id, whatever their settings, each gets the alert once', () => {
  expect(routeAlert(alert({ destinations: ['Two', '2'] }), all)).toEqual(['2']);
  expect(routeAlert(alert({ destinations: ['Two', '1'] }), all)).toEqual(['1', '2']);
});

test('an empty list and SKIP send nowhere', () => {
  expect(routeAlert(alert({ destinations: [] }), all)).toEqual([]);
  expect(routeAlert(alert({ destinations: ['One', 'SKIP'] }), all)).toEqual([]);
});

test('destinations that exist no longer are ignored; when none is left the settings decide', () => {
  expect(routeAlert(alert({ destinations: ['Gone', 'Two'] }), all)).toEqual(['2']);
  expect(routeAlert(alert({ destinations: ['Gone'] }), all)).toEqual(['1']);
});

test('a destination that is switched off gets nothing, also by name', () => {
  const off = destination({ isEnabled: false });
  expect(routeAlert(alert(), [off])).toEqual([]);
  expect(routeAlert(alert({ destinations: ['One'] }), [off, two])).toEqual([]);
});

test('system errors go to whoever asked for them, whatever their severities', () => {
  const system = alert({ type: 'SYSTEM_ERROR', severity: 'CRITICAL', logTypes: [] });
  const asked = destination({ severities: ['LOW'], alertTypes: ['SYSTEM_ERROR'], logTypes: ['AWS.CloudTrail'] });
  expect(routeAlert(system, [asked, destination({ id: '2', alertTypes: ['RULE'] })])).toEqual(['1']);
});
