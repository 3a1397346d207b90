/** Entry of every role process. Started by the supervisor only: the first message is its runtime. */
import { errorText } from '#platform/errors';
import type { RoleMessage, Runtime, Started } from '../runtime.ts';
import { startRoles } from './start-roles.ts';

/** A process whose supervisor is gone ends after this as it is: what it has acknowledged is stored. */
const orphanGraceMs = 20_000;

let started: Started | undefined;
let isStopping = false;

function say(message: RoleMessage): void {
  if (process.connected) process.send?.(message);
}

async function run(runtime: Runtime): Promise<void> {
  started = await startRoles(runtime);
  process.on('SIGTERM', stop);
  say({ kind: 'ready' });
}

function stop(): void {
  if (isStopping || started === undefined) return;
  isStopping = true;
  void started.stop().finally(() => process.exit(0));
}

// The supervisor is gone, perhaps while this process was starting: nobody else would ever stop it.
process.on('disconnect', () => {
  if (started === undefined) process.exit(1);
  setTimeout(() => process.exit(1), orphanGraceMs).unref();
  stop();
});
// Ctrl-C reaches the whole group; the supervisor decides the order.
process.on('SIGINT', () => undefined);
process.once('message', (runtime: Runtime) => {
  run(runtime).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    say({ kind: 'failed', message: errorText(error) });
    process.exit(1);
  });
});
