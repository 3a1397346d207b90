import { z } from 'zod';
import { defineMutation, defineQuery } from '#access';
import { alarmTypes } from './alarm.ts';

const place = { sourceId: z.uuid('is not the id of a log source'), type: z.enum(alarmTypes) };

export const logSourceAlarm = defineQuery({
  name: 'logSourceAlarm',
  summary: 'Threshold and state of an alarm of a log source.',
  permission: 'LogSourceRead',
  input: z.strictObject(place),
});
export const setLogSourceAlarm = defineMutation({
  name: 'setLogSourceAlarm',
  summary: 'After how many minutes without data a log source raises a system error.',
  permission: 'LogSourceModify',
  audit: 'CREATE_LOG_SOURCE_ALARM',
  input: z.strictObject({
    ...place,
    minutesThreshold: z.int().min(15, 'must be at least 15').max(43_200, 'must be at most 43200, which is 30 days'),
  }),
});
export const deleteLogSourceAlarm = defineMutation({
  name: 'deleteLogSourceAlarm',
  summary: 'Switches an alarm of a log source off.',
  permission: 'LogSourceModify',
  audit: 'DELETE_LOG_SOURCE_ALARM',
  input: z.strictObject(place),
});

export const alarmOperations = [logSourceAlarm, setLogSourceAlarm, deleteLogSourceAlarm];
