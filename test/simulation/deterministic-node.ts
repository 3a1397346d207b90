/**
 * Takes the few parts of Node that product code uses and that would answer from another thread or in real time, and
 * makes them answer in order. Must be imported before any product module, since those keep what they import.
 */
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import zlib from 'node:zlib';

type Answer = (error: Error | null, result?: Buffer) => void;

/** What is packed is not the matter here: frames are kept as they are. */
const answerAtOnce = (bytes: Buffer, options: unknown, answer?: Answer): void => {
  const callback = (answer ?? options) as Answer;
  queueMicrotask(() => callback(null, Buffer.from(bytes)));
};

/** Goes through the global timer, which the kernel replaces. */
const sleep = (delayMs: number, _value: undefined, options?: { readonly signal?: AbortSignal }): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = globalThis.setTimeout(resolve, delayMs);
    options?.signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new Error('aborted'));
    });
  });

Object.assign(zlib, { zstdCompress: answerAtOnce, zstdDecompress: answerAtOnce });
Object.assign(timers, { setTimeout: sleep });
syncBuiltinESMExports();
