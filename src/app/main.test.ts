import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const margay = (...args: readonly string[]) =>
  spawnSync(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], { encoding: 'utf8' });

test('help is there for the whole and for each command', () => {
  const all = margay('--help');
  expect([all.status, all.stderr]).toEqual([0, '']);
  expect(all.stdout).toContain('margay <command> --help');
  const one = margay('query', '--help');
  expect(one.status).toBe(0);
  expect(one.stdout).toMatch(/^Usage:\n {2}margay query <sql>/);
  expect(one.stdout).not.toContain('upload');
});

test('a wrong option is named, beside how the command is called; a wrong command shows all', () => {
  const option = margay('query', '--nope');
  expect(option.status).toBe(2);
  expect(option.stderr).toMatch(/^Unknown option '--nope'\.\nUsage:\n {2}margay query/);
  const command = margay('qery');
  expect(command.status).toBe(2);
  expect(command.stdout).toContain('Usage: margay <command>');
});
