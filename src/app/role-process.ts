import { type ChildProcess, fork } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { RoleMessage, Runtime } from './runtime.ts';
import type { Running } from './supervised-child.ts';

const entry = path.join(import.meta.dirname, 'roles/main.ts');
const stopGraceMs = 20_000;
/** Syncs of the disk, packing and unpacking each hold a thread; with Node's four, small ones wait for large ones. */
const threads = '16';

/** At a terminal the log lines go to a file, so that what is meant for people stays readable. */
function routeLog(child: ChildProcess, runtime: Runtime): void {
  if (!process.stderr.isTTY) {
    child.stderr?.pipe(process.stderr, { end: false });
    return;
  }
  const folder = path.join(runtime.dataDir, 'logs');
  mkdirSync(folder, { recursive: true });
  child.stderr?.pipe(createWriteStream(path.join(folder, `${runtime.roles.join('-')}.log`), { flags: 'a' }));
}

/** Starts one process for the given roles and waits until it says that it is ready. */
export async function startRoleProcess(runtime: Runtime): Promise<Running> {
  // Libraries skip their checks for developers; nothing of ours asks for it.
  const env = { ...process.env, NODE_ENV: 'production', UV_THREADPOOL_SIZE: threads };
  const child = fork(entry, [runtime.roles.join(',')], { env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  routeLog(child, runtime);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: RoleMessage) => {
      if (message.kind === 'ready') resolve();
      else reject(new Error(message.message));
    });
    void exited.then(() => reject(new Error(`The ${runtime.roles.join(' and ')} process ended while starting.`)));
  });
  child.send(runtime);
  await ready;
  return {
    exited,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}
