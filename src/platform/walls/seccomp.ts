/**
 * The system call filter of the outer wall, as a classic BPF program made from the tables below. What is in no table
 * is refused: with "not permitted", or with "no such call" where libraries then fall back to an older one.
 */

type Architecture = 'x64' | 'arm64';

/** Numbers on x64 and arm64; undefined where an architecture has no such call. */
type Numbers = readonly [x64: number | undefined, arm64: number | undefined];

/** What Node needs to run a program it has already: memory, threads, clocks, waiting, reading its bundle, open pipes. */
const allowed = {
  // The busiest first: the program is a list that is walked from the top.
  read: [0, 63],
  write: [1, 64],
  futex: [202, 98],
  madvise: [28, 233],
  mprotect: [10, 226],
  mmap: [9, 222],
  munmap: [11, 215],
  epoll_wait: [232, undefined],
  epoll_pwait: [281, 22],
  clock_gettime: [228, 113],
  gettimeofday: [96, 169],
  getrandom: [318, 278],
  sched_yield: [24, 124],
  brk: [12, 214],
  mremap: [25, 216],
  mincore: [27, 232],
  membarrier: [324, 283],
  pkey_mprotect: [329, 288],
  pkey_alloc: [330, 289],
  pkey_free: [331, 290],
  // Threads and signals of its own.
  set_tid_address: [218, 96],
  set_robust_list: [273, 99],
  rseq: [334, 293],
  arch_prctl: [158, undefined],
  rt_sigaction: [13, 134],
  rt_sigprocmask: [14, 135],
  rt_sigreturn: [15, 139],
  rt_sigpending: [127, 136],
  rt_sigtimedwait: [128, 137],
  sigaltstack: [131, 132],
  tgkill: [234, 131],
  restart_syscall: [219, 128],
  exit: [60, 93],
  exit_group: [231, 94],
  wait4: [61, 260],
  waitid: [247, 95],
  // bubblewrap and prlimit run the interpreter under the filter; whatever is started keeps it.
  execve: [59, 221],
  prlimit64: [302, 261],
  // Open descriptors.
  close: [3, 57],
  close_range: [436, 436],
  lseek: [8, 62],
  pread64: [17, 67],
  pwrite64: [18, 68],
  readv: [19, 65],
  writev: [20, 66],
  fcntl: [72, 25],
  dup: [32, 23],
  dup2: [33, undefined],
  dup3: [292, 24],
  pipe2: [293, 59],
  eventfd2: [290, 19],
  epoll_create1: [291, 20],
  epoll_ctl: [233, 21],
  poll: [7, undefined],
  ppoll: [271, 73],
  select: [23, undefined],
  pselect6: [270, 72],
  timerfd_create: [283, 85],
  timerfd_settime: [286, 86],
  timerfd_gettime: [287, 87],
  // Standard input and output are socket pairs made by the parent; these ask and end, they connect nothing.
  getsockname: [51, 204],
  getsockopt: [55, 209],
  shutdown: [48, 210],
  // Reading files; writing any is stopped by read-only mounts and a size limit of zero.
  open: [2, undefined],
  openat: [257, 56],
  stat: [4, undefined],
  fstat: [5, 80],
  lstat: [6, undefined],
  newfstatat: [262, 79],
  statx: [332, 291],
  statfs: [137, 43],
  fstatfs: [138, 44],
  access: [21, undefined],
  faccessat: [269, 48],
  faccessat2: [439, 439],
  readlink: [89, undefined],
  readlinkat: [267, 78],
  getcwd: [79, 17],
  chdir: [80, 49],
  getdents64: [217, 61],
  fadvise64: [221, 223],
  // Who and when.
  clock_getres: [229, 114],
  clock_nanosleep: [230, 115],
  nanosleep: [35, 101],
  time: [201, undefined],
  getpid: [39, 172],
  gettid: [186, 178],
  getppid: [110, 173],
  getpgrp: [111, undefined],
  getpgid: [121, 155],
  getsid: [124, 156],
  getuid: [102, 174],
  geteuid: [107, 175],
  getgid: [104, 176],
  getegid: [108, 177],
  getresuid: [118, 148],
  getresgid: [120, 150],
  getgroups: [115, 158],
  capget: [125, 90],
  getrusage: [98, 165],
  getrlimit: [97, 163],
  times: [100, 153],
  uname: [63, 160],
  sysinfo: [99, 179],
  umask: [95, 166],
  getcpu: [309, 168],
  sched_getaffinity: [204, 123],
  sched_getparam: [143, 121],
  sched_getscheduler: [145, 120],
  sched_get_priority_max: [146, 125],
  sched_get_priority_min: [147, 126],
} as const satisfies Record<string, Numbers>;

/** What a database needs beside: files in the one folder that it may write, timers of its own, order among its threads. */
const writing = {
  ftruncate: [77, 46],
  fallocate: [285, 47],
  fsync: [74, 82],
  fdatasync: [75, 83],
  flock: [73, 32],
  mkdir: [83, undefined],
  mkdirat: [258, 34],
  rename: [82, undefined],
  renameat: [264, 38],
  renameat2: [316, 276],
  unlink: [87, undefined],
  unlinkat: [263, 35],
  rmdir: [84, undefined],
  symlink: [88, undefined],
  symlinkat: [266, 36],
  preadv: [295, 69],
  pwritev: [296, 70],
  timer_create: [222, 107],
  timer_settime: [223, 110],
  timer_delete: [226, 111],
  sched_setaffinity: [203, 122],
  setpriority: [141, 140],
  getpriority: [140, 141],
} as const satisfies Record<string, Numbers>;

/** Which calls the program behind the wall needs: an interpreter only reads; a database writes files of its own too. */
export type Need = 'reads' | 'writes';

/** Calls that no interpreter makes and that break out of sandboxes: the process ends at once. */
const deadly = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  kcmp: [312, 272],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  pidfd_getfd: [438, 438],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  open_by_handle_at: [304, 265],
  seccomp: [317, 277],
  iopl: [172, undefined],
  ioperm: [173, undefined],
  modify_ldt: [154, undefined],
} as const satisfies Record<string, Numbers>;

/** Allowed for some values of one argument only (the lower half of it). */
const conditional = {
  // A thread, never a process.
  clone: { numbers: [56, 220], argument: 0, bits: 0x00010000 },
  // Names of threads and of memory areas.
  prctl: { numbers: [157, 167], argument: 0, values: [15, 16, 0x53564d41] },
  // Questions about terminals and pipes, and non-blocking; typing into a terminal is not among them.
  ioctl: { numbers: [16, 29], argument: 1, values: [0x5401, 0x540f, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451] },
} as const satisfies Record<
  string,
  { numbers: Numbers; argument: number } & ({ bits: number } | { values: readonly number[] })
>;

/** From here on numbers are equal everywhere and every caller expects that a kernel may not know them. */
const firstRecentCall = 424;

const audit = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;
const x32Bit = 0x40000000;
const allow = 0x7fff0000;
const killProcess = 0x80000000;
const errno = (code: number): number => 0x00050000 | code;
const notPermitted = errno(1);
const noSuchCall = errno(38);

const load = 0x20;
const jumpEqual = 0x15;
const jumpAtLeast = 0x35;
const jumpAnyBit = 0x45;
const finish = 0x06;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, k: number];

const returning = (action: number): Instruction => [finish, 0, 0, action];

function numbersOf(table: Readonly<Record<string, Numbers>>, architecture: Architecture): readonly number[] {
  const column = architecture === 'x64' ? 0 : 1;
  return Object.values(table).flatMap((numbers) => numbers[column] ?? []);
}

const each = (numbers: readonly number[], action: number): readonly Instruction[] =>
  numbers.flatMap((number): readonly Instruction[] => [[jumpEqual, 0, 1, number], returning(action)]);

function conditions(architecture: Architecture): readonly Instruction[] {
  const column = architecture === 'x64' ? 0 : 1;
  return Object.values(conditional).flatMap((rule): readonly Instruction[] => {
    const tests: readonly Instruction[] =
      'bits' in rule ? [[jumpAnyBit, 0, 1, rule.bits], returning(allow)] : each(rule.values, allow);
    const body: readonly Instruction[] = [[load, 0, 0, 16 + 8 * rule.argument], ...tests, returning(notPermitted)];
    return [[jumpEqual, 0, body.length, rule.numbers[column]], ...body];
  });
}

/** The filter for one architecture, ready for seccomp(2); little endian, eight bytes an instruction. */
export function seccompProgram(architecture: Architecture, need: Need): Buffer {
  const instructions: readonly Instruction[] = [
    [load, 0, 0, 4],
    [jumpEqual, 1, 0, audit[architecture]],
    returning(killProcess),
    [load, 0, 0, 0],
    [jumpAtLeast, 0, 1, architecture === 'x64' ? x32Bit : 0xffffffff],
    returning(killProcess),
    ...each(numbersOf(allowed, architecture), allow),
    ...(need === 'writes' ? each(numbersOf(writing, architecture), allow) : []),
    ...each(numbersOf(deadly, architecture), killProcess),
    ...conditions(architecture),
    [jumpAtLeast, 0, 1, firstRecentCall],
    returning(noSuchCall),
    returning(notPermitted),
  ];
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}

/** Undefined where the tables know no numbers; then there is no filter and the report says so. */
export function seccompArchitecture(name: string): Architecture | undefined {
  return name === 'x64' || name === 'arm64' ? name : undefined;
}
