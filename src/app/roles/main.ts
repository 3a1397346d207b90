/** Entry of every role process. Started by the supervisor only: the first message is its runtime. */
import { errorText } from '#platform/errors';
import type { RoleMessage, Runtime } from '../runtime.ts';
import { startRoles } from './start-roles.ts';

function say(message: RoleMessage): void {
  if (process.connected) process.send?.(message);
}

async function run(runtime: Runtime): Promise<void> {
  const started = await startRoles(runtime);
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    void started.stop().finally(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  // The supervisor is gone: nobody would ever stop this process.
  process.on('disconnect', stop);
  say({ kind: 'ready' });
}

// Ctrl-C reaches the whole group; the supervisor decides the order.
process.on('SIGINT', () => undefined);
process.once('message', (runtime: Runtime) => {
  run(runtime).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    say({ kind: 'failed', message: errorText(error) });
    process.exit(1);
  });
});
