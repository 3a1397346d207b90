/**
 * The process that runs a tenant's Python: one request at a time, frames on standard input and output. Started behind
 * both walls by the pool; it has no network, no environment and can read its own bundle only.
 */
import fs from 'node:fs';
import path from 'node:path';
import { frameKinds, readRequest, type Request, writeFrame } from './frames.ts';
import { collectGarbage, type Interpreter, prepareInterpreter } from './interpreter.ts';
import { createAnswerer } from './rule-index/rule-index.ts';

const bundle = import.meta.dirname;
const nothing = new Uint8Array(0);

/** A file the guest writes eight bytes to before it calls a rule, passed on to the parent as they are. */
const progress = {
  file: '/margay/progress',
  operations: {
    write(_stream: unknown, buffer: Int8Array, offset: number, length: number): number {
      writeFrame(frameKinds.progress, new Uint8Array(buffer.buffer, buffer.byteOffset + offset, Math.min(length, 8)));
      return length;
    },
  },
};

/** A file the guest writes a question to; the parent's reply lies beside it when the write returns. */
const question = {
  file: '/margay/question',
  operations: {
    write(_stream: unknown, buffer: Int8Array, offset: number, length: number): number {
      writeFrame(frameKinds.question, new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length));
      const reply = readRequest();
      if (reply?.kind !== 'reply') process.exit(1);
      interpreter?.put('/margay/reply', reply.body);
      return length;
    },
  },
};
const devices = [progress, question];

const start = await prepareInterpreter(bundle);
writeFrame(frameKinds.ready, nothing);

let interpreter: Interpreter | undefined;

async function startAsTold(): Promise<Interpreter | undefined> {
  const request = readRequest();
  if (request === undefined) return undefined;
  const { kind, body } = request;
  if (kind === 'start-cold') return start(undefined, devices);
  if (kind === 'start-generic') return start(fs.readFileSync(path.join(bundle, 'generic.snapshot')), devices);
  if (kind === 'start-snapshot') return start(body, devices);
  throw new Error(`Unknown way to start: ${kind}`);
}

interpreter = await startAsTold();
if (interpreter !== undefined) {
  const { step, snapshot } = interpreter;
  const answerTo = createAnswerer(step);
  const answer = ({ kind, header, body }: Request): void =>
    writeFrame(frameKinds.answer, kind === 'snapshot' ? snapshot() : answerTo(header, body));
  collectGarbage();
  writeFrame(frameKinds.ready, nothing);
  for (let request = readRequest(); request !== undefined; request = readRequest()) {
    answer(request);
    // The copy of the memory that was sent would lie here, half as large as all the rest.
    if (request.kind === 'snapshot') collectGarbage();
  }
}
process.exit(0);
