import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './ports.ts';

/** Whether `scripts/services/install-redis.sh` was run here. */
export const hasRedis = spawnSync('redis-server', ['--version']).error === undefined;

export type TestRedis = {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Forgets everything, as an operator's mistake or a lost machine would. */
  flush(): Promise<void>;
  stop(): Promise<void>;
};

async function ask(port: number, command: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString();
  } finally {
    socket.destroy();
  }
}

/** Starts a Redis on loopback that keeps nothing on disk. */
export async function startTestRedis(): Promise<TestRedis> {
  const [port = 0] = await freePorts(1);
  let child: ChildProcess | undefined;
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  const start = async (): Promise<void> => {
    const memory = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
    child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...memory], { stdio: 'ignore' });
    for (let round = 0; round < 100; round += 1) {
      if ((await ask(port, 'PING').catch(() => '')).startsWith('+PONG')) return;
      await sleep(100);
    }
    throw new Error('The Redis of the tests does not come up.');
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    flush: async () => void (await ask(port, 'FLUSHALL')),
    stop: kill,
  };
}
