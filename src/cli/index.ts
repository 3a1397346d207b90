import { batchCommand } from './batch-command.ts';
import type { Command } from './command.ts';
import { debugCommand, listCommand, validateCommand, zipCommand } from './content-commands.ts';
import { enrichTestDataCommand } from './enrich-command.ts';
import { queryCommand } from './query-command.ts';
import { deleteCommand, downloadCommand, uploadCommand } from './remote-content-commands.ts';
import { testCommand } from './test-command.ts';

export { type Command, CommandError, type CommandIo } from './command.ts';

/** Every command that needs no store of its own: local ones and those that talk to a deployment. */
export const commands: readonly Command[] = [
  batchCommand,
  queryCommand,
  testCommand,
  validateCommand,
  listCommand,
  debugCommand,
  enrichTestDataCommand,
  zipCommand,
  uploadCommand,
  downloadCommand,
  deleteCommand,
];
