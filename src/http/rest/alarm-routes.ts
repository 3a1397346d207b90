import { z } from 'zod';
import { alarmOperations } from '#ingestion';
import { defineRoute, operationIn } from './route.ts';

const operation = operationIn(alarmOperations);
const path = '/log-source-alarms/{sourceId}/{type}';
const type = z.literal('SOURCE_NO_DATA');
const minutesThreshold = z.int().min(15).max(43_200);

export const alarmRoutes = [
  defineRoute({
    id: 'log source alarm#get',
    method: 'GET',
    path,
    summary: 'Threshold and state of the alarm of a log source.',
    operation: operation('logSourceAlarm'),
    answers: {
      200: z.object({ type, minutesThreshold, state: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']) }),
    },
    errors: [400, 404],
    async handle({ params }, { actor, services }) {
      const found = await services.alarms.get(actor, params);
      return { status: 200, body: { type: found.type, minutesThreshold: found.minutesThreshold, state: found.state } };
    },
  }),
  defineRoute({
    id: 'log source alarm#put',
    method: 'PUT',
    path,
    summary: 'Sets after how many minutes without data a log source raises a system error.',
    operation: operation('setLogSourceAlarm'),
    body: z.object({ minutesThreshold }),
    answers: { 200: z.object({ type, minutesThreshold }) },
    errors: [400, 404],
    async handle({ params, body }, { actor, services }) {
      const set = await services.alarms.set(actor, { ...params, ...body });
      return { status: 200, body: { type: set.type, minutesThreshold: set.minutesThreshold } };
    },
  }),
  defineRoute({
    id: 'log source alarm#delete',
    method: 'DELETE',
    path,
    summary: 'Switches the alarm of a log source off, also when there is none.',
    operation: operation('deleteLogSourceAlarm'),
    answers: { 204: null },
    errors: [400],
    async handle({ params }, { actor, services }) {
      await services.alarms.delete(actor, params);
      return { status: 204 };
    },
  }),
];
