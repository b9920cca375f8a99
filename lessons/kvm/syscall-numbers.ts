import type { SystemCallName } from './lab.d.ts'

/** System calls of arm64: include/uapi/asm-generic/unistd.h. */
export const SYSCALL: Readonly<Record<SystemCallName, number>> = {
  getcwd: 17, eventfd2: 19, epoll_create1: 20, epoll_ctl: 21, epoll_pwait: 22, dup: 23, dup3: 24, fcntl: 25, ioctl: 29,
  mknodat: 33, mkdirat: 34, unlinkat: 35, symlinkat: 36, linkat: 37, umount2: 39, mount: 40, ftruncate: 46, fallocate: 47,
  faccessat: 48, chdir: 49, openat: 56, close: 57, pipe2: 59, getdents64: 61, lseek: 62, read: 63, write: 64, readv: 65,
  writev: 66, pread64: 67, pwrite64: 68, preadv: 69, pwritev: 70, sendfile: 71, ppoll: 73, vmsplice: 75, splice: 76, readlinkat: 78,
  newfstatat: 79, fstat: 80, sync: 81, capget: 90, capset: 91, set_tid_address: 96, unshare: 97, futex: 98, nanosleep: 101,
  clock_gettime: 113, clock_nanosleep: 115, syslog: 116, ptrace: 117, sched_yield: 124, kill: 129, rt_sigprocmask: 135,
  setpriority: 140, getpriority: 141, reboot: 142, setuid: 146, setresuid: 147, times: 153, uname: 160, getrusage: 165,
  prctl: 167, getcpu: 168, gettimeofday: 169, getpid: 172, getppid: 173, getuid: 174, geteuid: 175, getgid: 176,
  gettid: 178, sysinfo: 179, brk: 214, munmap: 215, mremap: 216, mmap: 222, mprotect: 226, msync: 227, mlock: 228,
  munlock: 229, mlockall: 230, munlockall: 231, mincore: 232, madvise: 233, wait4: 260, prlimit64: 261,
  process_vm_readv: 270, process_vm_writev: 271, finit_module: 273, getrandom: 278, memfd_create: 279, bpf: 280,
  mlock2: 284, copy_file_range: 285, pidfd_open: 434, process_madvise: 440,
}

const NAME_OF = new Map(Object.entries(SYSCALL).map(([name, number]) => [number, name]))

/** @returns the call's name, or `syscall 999`. */
export function syscallName(number: number): string {
  return NAME_OF.get(number) ?? `syscall ${number}`
}

/** `result` of a system call that says -errno. */
export function isErrno(result: bigint): boolean {
  return result < 0n && result >= -4095n
}
