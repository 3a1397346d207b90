import { expect, test } from 'vitest';
import { completionsOf, type Names, tablesIn } from './query-completion.ts';

const names: Names = {
  tables: ['panther_logs.public.aws_alb', 'panther_logs.public.aws_cloudtrail', 'panther_views.public.all_logs'],
  columns: new Map([
    ['panther_logs.public.aws_alb', ['clientIp', 'elb']],
    ['panther_logs.public.aws_cloudtrail', ['eventName', 'eventSource', 'userIdentity']],
  ]),
};
const found = (text: string) => completionsOf(text, names)[0];

test('tables are found by their full name and those of logs by the last part', () => {
  expect(found('select * from panther_l')).toEqual([
    'panther_logs.public.aws_alb',
    'panther_logs.public.aws_cloudtrail',
  ]);
  expect(found('select * from aws_c')).toEqual(['aws_cloudtrail']);
  expect(found('select * from all_')).toEqual([]);
  expect(found('select * from panther_views.public.')).toEqual(['panther_views.public.all_logs']);
});

test('columns are those of the tables that the text names, in any case, also behind an alias', () => {
  expect(found('select * from aws_cloudtrail where EVENTN')).toEqual(['eventName']);
  expect(found('select * from panther_logs.public.aws_cloudtrail t where t.event')).toEqual([
    't.eventName',
    't.eventSource',
  ]);
  expect(found('select * from aws_alb where event')).toEqual([]);
  expect(completionsOf('select * from aws_alb a where a.', names)).toEqual([['a.clientIp', 'a.elb'], 'a.']);
});

test('words of the language complete, and an empty word shows nothing', () => {
  expect(found('sel')).toEqual(['select']);
  expect(found('select * from aws_alb where p_occurs_s')).toEqual(["p_occurs_since('1 day')"]);
  expect(found('select ')).toEqual([]);
});

test('tables of a text are told once, however they are written', () => {
  expect(tablesIn('from AWS_ALB a join panther_views.public.all_logs', names.tables)).toEqual([
    'panther_logs.public.aws_alb',
    'panther_views.public.all_logs',
  ]);
});
