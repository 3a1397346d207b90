import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import { spawnBehind } from '#platform/walls';
import { openWalls } from '../../support/sandboxes.ts';

const perl = '/usr/bin/perl';

/** Calls that an attacker with native code would make; numbers of x64. */
const refused = {
  socket: 41,
  socketpair: 53,
  connect: 42,
  bind: 49,
  fork: 57,
  vfork: 58,
  kill: 62,
  setuid: 105,
  setrlimit: 160,
  personality: 135,
  memfd_create: 319,
  execveat: 322,
  mkdir: 83,
  unlink: 87,
  chmod: 90,
  shmget: 29,
  msgget: 68,
  inotify_init: 253,
  signalfd: 282,
};
const absent = { clone3: 435, io_uring_setup: 425, io_uring_enter: 426, pidfd_open: 434, landlock_create_ruleset: 444 };
const deadly = {
  ptrace: 101,
  process_vm_readv: 310,
  process_vm_writev: 311,
  bpf: 321,
  perf_event_open: 298,
  userfaultfd: 323,
  add_key: 248,
  keyctl: 250,
  mount: 165,
  umount2: 166,
  unshare: 272,
  setns: 308,
  kexec_load: 246,
  init_module: 175,
  open_by_handle_at: 304,
};

/** Processes of this machine with a word in their command line. */
function processesWith(word: string): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(word);
    } catch {
      return false;
    }
  });
}

describe.each(['bubblewrap', 'unshare'] as const)('%s', async (kind) => {
  const { walls } = await openWalls({ kinds: [kind], programs: [perl] });
  const stands = walls.report.kind === kind;
  if (!stands) console.log(`Skipped: the wall of ${kind} does not stand here. ${walls.report.reasons.join(' ')}`);
  const canProbe = stands && existsSync(perl) && process.arch === 'x64' && walls.report.hasSeccomp;

  const runPerl = async (code: string) => {
    const child = spawnBehind(walls.wrap([perl, '-e', code]), '/');
    const ended = new Promise<string>((resolve) =>
      child.once('exit', (status, signal) => resolve(signal ?? String(status))),
    );
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { output, errors, ended: await ended };
  };

  test.runIf(stands)('a process behind it has a filter, no capability and no way to more', () => {
    expect(walls.report).toMatchObject({ kind, isolatesTenants: true, reasons: [] });
    expect(walls.report.hasSeccomp).toBe(process.arch === 'x64' || process.arch === 'arm64');
  });

  test.runIf(canProbe)('calls that Node does not need are refused', async () => {
    const numbers = [...Object.values(refused), ...Object.values(absent)];
    const code = `$| = 1; for my $n (${numbers.join(',')}) { $! = 0; my $r = syscall($n, 0, 0, 0, 0, 0); print "$n:", $r == -1 ? $! + 0 : "got", "\\n"; }`;
    const { output } = await runPerl(code);
    const wanted = [
      ...Object.values(refused).map((number) => `${number}:1`),
      ...Object.values(absent).map((number) => `${number}:38`),
    ];
    expect(output.trim().split('\n')).toEqual(wanted);
  });

  test.runIf(canProbe)('calls that break out of sandboxes end the process', async () => {
    for (const [name, number] of Object.entries(deadly)) {
      const { output, ended } = await runPerl(
        `$| = 1; print "before\\n"; syscall(${number}, 0, 0, 0, 0, 0); print "after\\n";`,
      );
      expect([name, output]).toEqual([name, 'before\n']);
      // 128 + SIGSYS, or the signal itself, as the tool that waited for it tells.
      expect(['159', 'SIGSYS', 'SIGKILL']).toContain(ended);
    }
  });

  test.runIf(canProbe)('native code sees no host, no other process, no descriptor and cannot write', async () => {
    const code = `
      $SIG{XFSZ} = "IGNORE"; print "etc\\n" if -e "/etc/passwd"; print "home\\n" if -e "/root" || -e "/home"; print "checkout\\n" if -e "${process.cwd()}";
      opendir(my $d, "/proc"); print "processes ", scalar(grep { /^\\d+$/ } readdir($d)) < 6 ? "few" : "many", "\\n";
      for my $f (0 .. 20) { my $l = readlink("/proc/self/fd/$f"); print "fd $f $l\\n" if defined $l && $f > 2 && $l !~ m{^/proc}; }
      for my $f ("/x", "/bundle/x", "/usr/lib/x", "/dev/x", "/dev/shm/x", "/tmp/x") { my $h; print "wrote $f\\n" if open($h, ">", $f) && (print({$h} "x"), close($h)); }
      print "environment ", scalar(grep { $_ ne "PWD" } keys %ENV), "\\n";
      opendir(my $b, "/usr/bin"); print "programs ", scalar(grep { !/^\\./ } readdir($b)) < 12 ? "few" : "many", "\\n";
      open(my $u, "<", "/proc/net/dev"); print "network\\n" if grep { /:/ && !/\\blo:/ } <$u>;`;
    const { output, errors } = await runPerl(code);
    expect([output.trim().split('\n'), errors]).toEqual([['processes few', 'environment 0', 'programs few'], '']);
  });
});

test.each(['bubblewrap', 'unshare', 'none'])(
  '%s: a sandbox that runs on without end dies with its parent',
  async (kind) => {
    const marker = `margay-${randomBytes(8).toString('hex')}`;
    const script = path.resolve(import.meta.dirname, '../../support/sandbox-parent.ts');
    const parent = spawn(process.execPath, [script, kind, marker], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => parent.stdout.once('data', resolve));
    expect(processesWith(marker).length).toBeGreaterThan(1);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(processesWith(marker)).toEqual([]), { timeout: 20_000, interval: 200 });
  },
);
