import { cp, mkdtemp, readFile, rm, writeFile, access, chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSandboxPool, type SandboxPool } from '#detections';
import { hashId } from '#platform/ids';
import type { SandboxContent } from '../../../src/detections/sandbox/sandbox-contract.ts';
import type { Walls } from '#platform/walls';
import { openWalls } from '../../support/sandboxes.ts';
import { type Outcome, outcomes, prelude, probes } from './sandbox-probes.ts';

vi.setConfig({ testTimeout: 600_000 });
const secret = `secret-${hashId('probe', String(process.pid))}`;
const folder = await mkdtemp(path.join(tmpdir(), 'margay-probes-'));
await chmod(folder, 0o755);
const bait = {
  secretFile: path.join(folder, 'secret'),
  writeFile: path.join(folder, 'written'),
  parentPid: process.pid,
};
const packets: string[] = [];
const tcp = createServer((socket) => {
  packets.push('TCP');
  socket.destroy();
});
const udp = createSocket('udp4').on('message', () => packets.push('UDP'));
let port = 0;
beforeAll(async () => {
  await writeFile(bait.secretFile, secret, { mode: 0o644 });
  await chmod(folder, 0o777);
  process.env['MARGAY_PROBE_SECRET'] = secret;
  await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve));
  const address = tcp.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
});
afterAll(async () => {
  delete process.env['MARGAY_PROBE_SECRET'];
  tcp.close();
  udp.close();
  await rm(folder, { recursive: true, force: true });
});

/** The bundle without the inner wall: the bridge in sight, code from text allowed, no permission flags. */
async function withoutInnerWall(bundle: string): Promise<string> {
  const copy = path.join(folder, 'bundle');
  await cp(bundle, copy, { recursive: true, force: true });
  await rm(path.join(copy, 'generic.snapshot'), { force: true });
  const file = path.join(copy, 'interpreter.ts');
  const source = await readFile(file, 'utf8');
  const open = source
    .replaceAll('bridge.hide();', '')
    .replace('    lockJavaScript();\n', '')
    .replace('jsglobals: Object.freeze(Object.create(null)),', '');
  expect(source.length - open.length).toBeGreaterThan(60);
  await writeFile(file, open);
  return copy;
}

const unlocked = (walls: Walls): Walls => ({
  ...walls,
  wrap: (program) => walls.wrap(program.filter((word) => !/^--(permission|allow-|disallow-)/.test(word))),
});

function content(numbers: readonly number[]): SandboxContent {
  const rules = numbers.map((number) => ({
    id: String(number),
    body: `${prelude({ ...bait, port })}\ndef attempt():\n    ${probes[number]?.code}\ndef rule(event):\n    global got\n    got = attempt()\n    return True\ndef title(event):\n    return f"got {got!r}"\n`,
    logTypes: ['T'],
    severity: 'LOW' as const,
  }));
  return { revision: hashId('probes', ...numbers.map(String)), globals: [], dataModels: [], rules };
}

type Seen = { readonly outcome: Outcome; readonly detail: string };

async function attempt(pool: SandboxPool, numbers: readonly number[]): Promise<ReadonlyMap<number, Seen>> {
  const records = Buffer.from('{"a":1}\n');
  const call = { tenantId: 't', content: content(numbers), logType: 'T', records };
  const { matches, errors } = await pool.evaluate(call);
  return new Map(
    numbers.map((number): [number, Seen] => {
      const match = matches.find((found) => found.ruleId === String(number));
      if (match) return [number, { outcome: 'inside', detail: match.title }];
      const error = errors.find((found) => found.ruleId === String(number));
      const hasEnded = error === undefined || ['crash', 'timeout'].includes(error.kind);
      return [number, { outcome: hasEnded ? 'ended' : 'denied', detail: `${error?.exception}: ${error?.message}` }];
    }),
  );
}

/** All that should leave the interpreter alive in one run, the others in a run each. */
async function attemptAll(walls: Walls, bundle: string, way: Way): Promise<readonly Seen[]> {
  const limits = { culpritsMax: 100, ruleTimeoutMs: 4000, chunkTimeoutMs: 8000 };
  const pool = createSandboxPool({ walls, bundle, limits });
  const isEnding = (number: number): boolean => outcomeOf(number, way) === 'ended';
  try {
    const numbers = probes.map((_probe, number) => number);
    const seen = new Map(
      await attempt(
        pool,
        numbers.filter((number) => !isEnding(number)),
      ),
    );
    for (const number of numbers.filter(isEnding))
      for (const [key, value] of await attempt(pool, [number])) seen.set(key, value);
    return numbers.map((number) => seen.get(number) ?? { outcome: 'ended', detail: 'not run' });
  } finally {
    await pool.close();
  }
}

const ways = [
  ['both walls, bubblewrap', 'bubblewrap'],
  ['both walls, unshare', 'unshare'],
  ['only the inner wall', undefined],
  ['only the outer wall, bubblewrap', 'bubblewrap'],
  ['only the outer wall, unshare', 'unshare'],
] as const;
type Way = (typeof ways)[number][0];

const table = await readTable();
/** The cell of the table; undefined for a probe that is not in it. */
const outcomeOf = (number: number, way: Way): Outcome | undefined => table.get(probes[number]?.name ?? '')?.[way];

async function readTable(): Promise<ReadonlyMap<string, Readonly<Partial<Record<Way, Outcome>>>>> {
  const text = await readFile(path.join(import.meta.dirname, 'sandbox-probes.md'), 'utf8');
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const [head = [], ...body] = rows.filter(([first]) => !first?.startsWith('---'));
  const cell = (row: readonly string[], way: Way) => outcomes.find((outcome) => outcome === row[head.indexOf(way)]);
  return new Map(body.map((row) => [row[0] ?? '', Object.fromEntries(ways.map(([way]) => [way, cell(row, way)]))]));
}

test('every probe has a row in the table, and every row a probe', () => {
  expect([...table.keys()]).toEqual(probes.map(({ name }) => name));
  expect(probes.length).toBeGreaterThan(100);
});

/** Each line: as expected or not (!), what came of it, what was tried, and what it was told. */
describe.each(ways)('%s', async (name, kind) => {
  const kinds = kind === undefined ? [] : [kind];
  const { bundle, walls } = await openWalls({ kinds });
  const stands = walls.report.kind === (kind ?? 'permission-only');
  if (!stands) console.log(`Skipped: the wall of ${kind} does not stand here. ${walls.report.reasons.join(' ')}`);

  test.runIf(stands)('every probe ends as the table says, and none takes anything of the host', async () => {
    const isOpen = name.startsWith('only the outer wall');
    const found = isOpen ? await openWalls({ kinds, bundle: await withoutInnerWall(bundle) }) : { walls, bundle };
    const seen = await attemptAll(isOpen ? unlocked(found.walls) : walls, found.bundle, name);
    const lines = seen.map(({ outcome, detail }, number) => {
      const mark = outcome === outcomeOf(number, name) ? ' ' : '!';
      return `${mark} ${outcome.padEnd(7)} ${probes[number]?.name}: ${detail.replace(/\s+/g, ' ').slice(0, 120)}`;
    });
    console.log([`## ${name}`, ...lines].join('\n'));
    expect(JSON.stringify(seen)).not.toContain(secret);
    expect(JSON.stringify(seen)).not.toContain('root:x:0');
    expect(packets).toEqual([]);
    await expect(access(bait.writeFile)).rejects.toThrow();
    const cells = seen.map(({ outcome }, number) => `${probes[number]?.name}: ${outcome}`);
    expect(cells).toEqual(probes.map((probe, number) => `${probe.name}: ${outcomeOf(number, name)}`));
  });
});
