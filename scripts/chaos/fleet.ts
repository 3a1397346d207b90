import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { freePorts } from '../services/ports.ts';

type Environment = Readonly<Record<string, string>>;
type Options = {
  /** Roles of each process, e.g. `worker`. */
  readonly roles: readonly string[];
  /** Settings that all share; folder and port are each process's own. */
  readonly environment: Environment;
  readonly folder: string;
};

/** Processes of a deployment past one machine. */
export type Fleet = {
  /** Where those listen that take logs in. */
  readonly ingestUrls: readonly string[];
  stop(): Promise<void>;
};

const main = path.resolve(import.meta.dirname, '../../src/app/main.ts');
const restartPauseMs = 1000;
const listens = (role: string): boolean => /api|ingest/.test(role);

/** Keeps one `margay start --role` running, as an orchestrator would, until stopped. */
async function keepRunning(role: string, environment: Environment): Promise<{ stop(): Promise<void> }> {
  let isStopping = false;
  let child: ChildProcess | undefined;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = spawn(process.execPath, [main, 'start', '--role', role], {
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      const lines: string[] = [];
      createInterface({ input: started.stderr }).on('line', (line) => void lines.push(line));
      createInterface({ input: started.stdout }).on('line', (line) => {
        if (line.startsWith('Ready after')) resolve();
      });
      started.once('exit', () => {
        reject(new Error(`The ${role} process ended while starting:\n${lines.slice(-20).join('\n')}`));
        if (!isStopping) setTimeout(() => void start().catch(() => undefined), restartPauseMs);
      });
    });
  await start();
  return {
    async stop() {
      isStopping = true;
      const running = child;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const exited = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGTERM');
      await exited;
    },
  };
}

/** Starts one process per entry on shared stores; the first alone, since it brings the database up to date. */
export async function startFleet({ roles, environment, folder }: Options): Promise<Fleet> {
  const ports = await freePorts(roles.length);
  const startOne = (role: string, index: number) =>
    keepRunning(role, {
      ...environment,
      MARGAY_DATA_DIR: path.join(folder, `${index}-${role.replaceAll(',', '-')}`),
      MARGAY_PORT: String(ports[index]),
    });
  const [first = '', ...others] = roles;
  const running = [await startOne(first, 0)];
  running.push(...(await Promise.all(others.map((role, index) => startOne(role, index + 1)))));
  return {
    ingestUrls: roles.flatMap((role, index) => (listens(role) ? [`http://127.0.0.1:${ports[index]}`] : [])),
    stop: async () => void (await Promise.all(running.map((process) => process.stop()))),
  };
}
