/// <reference lib="esnext.disposable" />
/**
 * The module that scripts import: `import { kvm, guest, print } from 'lab'`.
 *
 * A script is the user half of a virtual machine monitor. It runs beside the machine, and each call here is carried
 * out by a process inside it, the lab agent, with the system calls that each description names. So what comes back is
 * the kernel's own answer. Addresses and register values are `bigint`, sizes and descriptors `number`.
 *
 * This file is what the editor shows and what scripts are checked against; `make-lab.ts` implements it.
 */

/** `/dev/kvm`. */
export declare const kvm: Kvm
/** The memory of the VMM's own process: what the *host* sees. */
export declare const mem: Memory
/** Files of `/proc` and `/sys`. */
export declare const proc: Proc
/** The host kernel and the VMM's process on it. */
export declare const host: Host

/**
 * A guest program of the workspace, assembled when the script was started.
 * @param file its name in the workspace, such as `'guest.s'`
 * @throws Error when the workspace has no such file
 */
export declare function guest(file: string): GuestImage

/** Prints one line. Numbers are printed as they are, bigints in hexadecimal, bytes as a dump. */
export declare function print(...values: unknown[]): void

/** Records a named value. A lesson's checks read it; the trace shows it. Calling it again replaces the value. */
export declare function answer(name: string, value: Answer): void

/** `0x` and the value in hexadecimal, at least `digits` long. */
export declare function hex(value: bigint | number, digits?: number): string

/**
 * Waits for a call, and gives its error back instead of throwing it.
 * @example
 * const vm = await attempt(dev.createVm({ protected: true }))
 * if (!vm.ok) print(vm.error.code, vm.error.explanation)
 */
export declare function attempt<T>(call: Promise<T>): Promise<Attempt<T>>

/**
 * Any system call, by name or number of the arm64 table, in the VMM's process.
 *
 * Up to six arguments: numbers and bigints as they are, a string as the address of its bytes with a NUL behind them, a
 * `Uint8Array` as the address of a copy, and what the kernel leaves there is in the array afterwards.
 * @returns the kernel's result, unsigned when it is an address
 * @throws KernelError with the errno
 * @example
 * const text = new Uint8Array(64)
 * const fd = await syscall('openat', AT_FDCWD, '/proc/cmdline', 0)
 * const bytes = await syscall('read', fd, text, text.length)
 */
export declare const syscall: SystemCall

/** The present directory, as `openat` and its like take it. */
export declare const AT_FDCWD: -100
/** Bytes of a page here. */
export declare const PAGE_SIZE: 4096
/** Bit 31 of the argument of `KVM_CREATE_VM`: the VM is to be a protected one. */
export declare const KVM_VM_TYPE_ARM_PROTECTED: 0x80000000n

export type Answer = string | number | bigint | boolean | null | Uint8Array | readonly Answer[] | { readonly [key: string]: Answer }

export type Attempt<T> = { ok: true; value: T; error?: undefined } | { ok: false; value?: undefined; error: LabError }

// ---------------------------------------------------------------------------------------------------------------- KVM

export interface Kvm {
  /**
   * `openat("/dev/kvm", O_RDWR | O_CLOEXEC)`.
   * @throws KernelError ENOENT: this kernel has no KVM, for example because of `kvm-arm.mode=none`
   */
  open(): Promise<KvmDevice>
}

/** Something with a descriptor. `await using` closes it at the end of its block. */
export interface Closeable {
  /** The descriptor in the VMM's process, for `syscall`. */
  readonly fd: number
  /** Whether `close` was called. */
  readonly closed: boolean
  /** `close(fd)`. Closing twice does nothing. */
  close(): Promise<void>
  /**
   * `ioctl(fd, request, argument)` for what has no method of its own.
   * @param argument a number as it is; a `Uint8Array` as the address of a copy, updated afterwards
   * @throws KernelError
   */
  ioctl(request: number | bigint, argument?: number | bigint | Uint8Array): Promise<bigint>
  [Symbol.asyncDispose](): Promise<void>
}

/** `/dev/kvm`, opened. */
export interface KvmDevice extends Closeable {
  /** `KVM_GET_API_VERSION`: 12 in every kernel since 2007. */
  apiVersion(): Promise<number>
  /**
   * `KVM_CHECK_EXTENSION`.
   * @param capability name, or number of `KVM_CAP_...`
   * @returns 0 when there is none of it, otherwise 1 or a size
   */
  checkExtension(capability: Capability | number): Promise<number>
  /** `KVM_GET_VCPU_MMAP_SIZE`: bytes of `struct kvm_run` and what follows it. */
  vcpuMmapSize(): Promise<number>
  /**
   * `KVM_CREATE_VM`. With `protected`, type bit 31 is set: the host's kernel becomes tainted, and once the VM runs its
   * memory leaves the host.
   * @throws KernelError EINVAL: this host does not make such VMs; ENOMEM: the hypervisor has 255 VMs already
   */
  createVm(options?: VmOptions): Promise<Vm>
}

export interface VmOptions {
  /** `KVM_VM_TYPE_ARM_PROTECTED`. Default false. */
  protected?: boolean
  /** Bits of guest physical address, 0 for the default of 40. pKVM ignores it. */
  ipaBits?: number
  /** The whole argument of `KVM_CREATE_VM`, in place of the two above. */
  type?: bigint | number
}

/** A virtual machine. */
export interface Vm extends Closeable {
  /** Whether it was made with bit 31. */
  readonly protected: boolean
  /** The argument that `KVM_CREATE_VM` got. */
  readonly type: bigint
  /**
   * Maps fresh memory into the VMM's process (`mmap`, private and anonymous) and makes it guest RAM
   * (`KVM_SET_USER_MEMORY_REGION`). Nothing moves yet: pages change hands when the guest first touches them.
   * @throws KernelError EINVAL: address or size is no multiple of the page; EEXIST: overlaps another slot
   */
  addMemory(options: MemoryOptions): Promise<GuestMemory>
  /** `KVM_SET_USER_MEMORY_REGION` alone, with memory of your own. 0 bytes delete the slot. */
  setMemoryRegion(region: MemoryRegion): Promise<void>
  /**
   * `KVM_CREATE_VCPU`, then `KVM_ARM_PREFERRED_TARGET`, `KVM_ARM_VCPU_INIT` and `mmap` of its `struct kvm_run`.
   * @throws KernelError EEXIST: the VM has a vCPU with this id
   */
  createVcpu(options?: VcpuOptions): Promise<Vcpu>
  /** `KVM_CHECK_EXTENSION`, asked of the VM: some answers differ for protected ones. */
  checkExtension(capability: Capability | number): Promise<number>
  /**
   * Closes the vCPUs made by `createVcpu`, then the VM. With the last descriptor the VM is torn down and its memory
   * comes back to the host. What `addMemory` mapped stays mapped, so that you can look at it.
   */
  close(): Promise<void>
}

export interface MemoryOptions {
  /** Slot number. Default: the first free one of this object. */
  slot?: number
  /** Guest physical address of the first byte, a multiple of 4096. */
  guestAddress: bigint
  /** Size, a multiple of 4096. */
  bytes: number
  /** The guest may not write (`KVM_MEM_READONLY`). */
  readOnly?: boolean
  /** Memory that is mapped already, in place of a fresh mapping. */
  from?: Mapping
}

export interface MemoryRegion {
  slot: number
  flags?: number
  guestAddress: bigint
  bytes: number
  /** Where the memory is in the VMM's process. */
  userAddress: bigint
}

/** Memory that the VMM has mapped and can reach by loads and stores. */
export interface Mapping {
  /** Where it begins in the VMM's process. */
  readonly address: bigint
  readonly bytes: number
  /** `munmap`. */
  unmap(): Promise<void>
}

/**
 * Guest RAM, reached by guest physical address. Reads and writes are loads and stores of the VMM's process: the host's
 * view. On a page that the host gave away they end in a `SignalError`.
 */
export interface GuestMemory extends Mapping {
  readonly slot: number
  readonly guestAddress: bigint
  /** Puts a program where it was assembled for, or bytes at a guest address. @returns the address of its entry */
  load(image: GuestImage): Promise<bigint>
  load(bytes: Uint8Array, guestAddress: bigint): Promise<bigint>
  /** Where a guest physical address is in the VMM's process, for `mem` and `syscall`. */
  hostAddress(guestAddress: bigint): bigint
  /** @throws SignalError when the host may not */
  read(guestAddress: bigint, bytes: number): Promise<Uint8Array>
  /** @throws SignalError when the host may not */
  write(guestAddress: bigint, bytes: Uint8Array): Promise<void>
  /** One load of 4 bytes. @throws SignalError when the host may not */
  read32(guestAddress: bigint): Promise<number>
  /** One store of 4 bytes. @throws SignalError when the host may not */
  write32(guestAddress: bigint, value: number): Promise<void>
  /** One load of 8 bytes. @throws SignalError when the host may not */
  read64(guestAddress: bigint): Promise<bigint>
  /** One store of 8 bytes. @throws SignalError when the host may not */
  write64(guestAddress: bigint, value: bigint | number): Promise<void>
  /** Text up to the first NUL. @throws SignalError when the host may not */
  readText(guestAddress: bigint, mostBytes?: number): Promise<string>
  /** Takes the slot from the VM (`KVM_SET_USER_MEMORY_REGION` with 0 bytes). The mapping stays. */
  removeSlot(): Promise<void>
}

export interface VcpuOptions {
  /** Default: the first free one of this object. */
  id?: number
  /** Default `['psci-0.2']`: the guest may call `SYSTEM_OFF`. */
  features?: readonly VcpuFeature[]
  /** False leaves out `KVM_ARM_VCPU_INIT`: `run` then gives ENOEXEC. */
  init?: boolean
}

export type VcpuFeature = 'power-off' | 'el1-32bit' | 'psci-0.2' | 'pmu-v3' | 'sve' | 'ptrauth-address' | 'ptrauth-generic' | 'has-el2'

/** A virtual processor. */
export interface Vcpu extends Closeable {
  readonly id: number
  /** Where `struct kvm_run` is in the VMM's process. */
  readonly runAddress: bigint
  /** `KVM_ARM_VCPU_INIT`: registers to their reset values. @throws KernelError EINVAL: a feature is not allowed here */
  init(features?: readonly VcpuFeature[]): Promise<void>
  /** `KVM_GET_ONE_REG`, by name or by id. @throws KernelError ENOENT: there is no such register here */
  get(register: RegisterName | bigint): Promise<bigint>
  /** `KVM_SET_ONE_REG`, by name or by id. @throws KernelError EINVAL: not this value; ENOENT: no such register */
  set(register: RegisterName | bigint, value: bigint | number): Promise<void>
  /** x0..x30, sp, pc and pstate. */
  registers(): Promise<Record<CoreRegister, bigint>>
  /** `KVM_GET_REG_LIST`: the ids of all registers that `get` knows. */
  registerIds(): Promise<bigint[]>
  /**
   * `KVM_RUN`: the guest runs until it needs the VMM. Answer an MMIO read by `exit.answer(value)` before the next run.
   * @throws KernelError ENOEXEC: not initialised; EBADF: its descriptor is closed. EFAULT is an exit, `memory-fault`,
   * and EINTR is one, `interrupted`.
   */
  run(options?: RunOptions): Promise<Exit>
}

export interface RunOptions {
  /** Milliseconds of the machine's time after which a guest that does not exit is interrupted. Default 1000. */
  limitMs?: number
}

/** Why the guest stopped running: `exit.reason` tells them apart. */
export type Exit =
  | MmioWriteExit
  | MmioReadExit
  | HypercallExit
  | SystemEventExit
  | FailEntryExit
  | InternalErrorExit
  | InterruptedExit
  | MemoryFaultExit
  | UnknownExit

/** `KVM_EXIT_MMIO`: the guest stored to an address that no slot backs. */
export interface MmioWriteExit {
  reason: 'mmio'
  isWrite: true
  /** Guest physical address. */
  address: bigint
  /** 1, 2, 4 or 8 bytes. */
  length: number
  data: Uint8Array
  /** The same, little-endian. */
  value: bigint
}

/** `KVM_EXIT_MMIO`: the guest loads from an address that no slot backs, and waits for the value. */
export interface MmioReadExit {
  reason: 'mmio'
  isWrite: false
  /** Guest physical address. */
  address: bigint
  /** 1, 2, 4 or 8 bytes. */
  length: number
  /** What the guest is to load. It gets it with the next `run`. */
  answer(value: bigint | number | Uint8Array): Promise<void>
}

/** `KVM_EXIT_HYPERCALL`: a call by SMCCC that KVM leaves to the VMM. */
export interface HypercallExit {
  reason: 'hypercall'
  /** x0. */
  function: bigint
  args: readonly bigint[]
  /** HVC, or SMC. */
  conduit: 'hvc' | 'smc'
}

/** `KVM_EXIT_SYSTEM_EVENT`: PSCI `SYSTEM_OFF`, `SYSTEM_RESET` and their like. */
export interface SystemEventExit {
  reason: 'system-event'
  event: 'shutdown' | 'reset' | 'crash' | 'wakeup' | 'suspend' | 'unknown'
  /** Number of `KVM_SYSTEM_EVENT_...`. */
  number: number
  data: readonly bigint[]
}

/** `KVM_EXIT_FAIL_ENTRY`: the processor would not enter the guest. */
export interface FailEntryExit {
  reason: 'fail-entry'
  hardwareReason: bigint
  cpu: number
}

/** `KVM_EXIT_INTERNAL_ERROR`. */
export interface InternalErrorExit {
  reason: 'internal-error'
  suberror: number
  data: readonly bigint[]
}

/** EINTR: the time limit was over and the guest had not exited. It can be run on. */
export interface InterruptedExit {
  reason: 'interrupted'
  limitMs: number
}

/** EFAULT: the guest touched memory that it cannot get (any more), such as a page that the host forced back. */
export interface MemoryFaultExit {
  reason: 'memory-fault'
  code: 'EFAULT'
  /** What `KVM_EXIT_MEMORY_FAULT` tells, when the kernel filled it in. */
  guestAddress: bigint | null
  bytes: bigint | null
  explanation: string
}

export interface UnknownExit {
  reason: 'unknown'
  /** `exit_reason` of `struct kvm_run`. */
  number: number
  name: string
}

// ------------------------------------------------------------------------------------------------------------- memory

export interface Memory {
  /**
   * `mmap`.
   * @param bytes rounded up to whole pages by the kernel
   * @throws KernelError ENOMEM
   */
  map(bytes: number, options?: MapOptions): Promise<Mapping>
  /** `munmap`. */
  unmap(address: bigint, bytes: number): Promise<void>
  /**
   * Loads of the VMM's process, as it would read its own memory.
   * @throws SignalError when one of them faults; it has the address and how much was read before
   */
  read(address: bigint, bytes: number): Promise<Uint8Array>
  /** Stores of the VMM's process. @throws SignalError */
  write(address: bigint, bytes: Uint8Array): Promise<void>
  /** One load of 4 bytes. @throws SignalError */
  read32(address: bigint): Promise<number>
  /** One load of 8 bytes. @throws SignalError */
  read64(address: bigint): Promise<bigint>
  /** One store of 4 bytes. @throws SignalError */
  write32(address: bigint, value: number): Promise<void>
  /** One store of 8 bytes. @throws SignalError */
  write64(address: bigint, value: bigint | number): Promise<void>
  /**
   * Has the kernel read it: `write(2)` from there to a pipe, and the pipe is read. The kernel copies from the user's
   * address, and mends a fault there into an errno.
   * @throws KernelError EFAULT
   */
  readByKernel(address: bigint, bytes: number): Promise<Uint8Array>
  /** Has the kernel write it: `read(2)` from a pipe that holds the bytes. @throws KernelError EFAULT */
  writeByKernel(address: bigint, bytes: Uint8Array): Promise<void>
  /**
   * `pread64` of `/proc/self/mem`: the kernel finds the physical page and reads it through its own linear map. On a
   * page of a protected guest that faults inside the kernel, and the kernel takes the page back by force: the
   * hypervisor zeroes it first and the guest can never use it again.
   * @throws KernelError EIO: nothing is mapped there
   */
  readByProcMem(address: bigint, bytes: number): Promise<Uint8Array>
  /** `pwrite64` of `/proc/self/mem`: as `readByProcMem`, writing. */
  writeByProcMem(address: bigint, bytes: Uint8Array): Promise<void>
  /** Physical address behind an address of the process, from `/proc/self/pagemap`; null where no page is. */
  physical(address: bigint): Promise<bigint | null>
}

export interface MapOptions {
  /** Any of `r`, `w`, `x`. Default `'rw'`. */
  protection?: 'r' | 'rw' | 'rx' | 'rwx' | 'none'
  /** `MAP_SHARED` in place of `MAP_PRIVATE`. */
  shared?: boolean
  /** `MAP_POPULATE`: pages are there at once. */
  populate?: boolean
  /** `MAP_FIXED` at this address. */
  at?: bigint
}

// --------------------------------------------------------------------------------------------------------------- host

export interface Proc {
  /** A whole file as text, such as `/proc/cmdline`. @throws KernelError ENOENT, EACCES */
  read(path: string, mostBytes?: number): Promise<string>
  /** `write(2)` to a file of `/proc` or `/sys`. @throws KernelError */
  write(path: string, text: string): Promise<void>
  /** Names in a directory. @throws KernelError ENOENT, ENOTDIR */
  list(path: string): Promise<string[]>
}

export interface Host {
  /** `/proc/sys/kernel/tainted`, with the names of the bits. */
  taint(): Promise<Taint>
  /** `/proc/cmdline` without the line's end. */
  commandLine(): Promise<string>
  /** `uname -r`. */
  kernelRelease(): Promise<string>
  /** The kernel's messages since boot, without their time stamps (`syslog(SYSLOG_ACTION_READ_ALL)`). */
  messages(): Promise<string[]>
  /** `prlimit64`: what the VMM's process may use. */
  getRlimit(resource: Resource): Promise<Rlimit>
  /** `prlimit64`. @throws KernelError EPERM: only a privileged process raises its maximum */
  setRlimit(resource: Resource, limit: Partial<Rlimit>): Promise<void>
  /** `/proc/meminfo`, in bytes, by name: `MemFree`, `Mlocked`, ... */
  memory(): Promise<Record<string, number>>
  /** `nanosleep`, in the machine's time. */
  sleep(milliseconds: number): Promise<void>
  /** `fork`: a second process with a copy of the VMM's memory and its descriptors. */
  fork(): Promise<HostProcess>
  /** Page size, process id. */
  readonly pageSize: number
  readonly pid: number
}

/** A process made by `host.fork()`: the same calls, carried out there. */
export interface HostProcess {
  readonly kvm: Kvm
  readonly mem: Memory
  readonly proc: Proc
  readonly syscall: SystemCall
  /** The process ends. @returns its wait status, 0 when it ended by itself */
  end(): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

export interface Taint {
  value: number
  /** Such as `TAINT_USER`. */
  names: string[]
}

export type Resource = 'cpu' | 'fsize' | 'data' | 'stack' | 'core' | 'rss' | 'nproc' | 'nofile' | 'memlock' | 'as'

/** `Infinity` for none. */
export interface Rlimit {
  current: number
  maximum: number
}

export type SystemCall = (call: SystemCallName | number, ...args: readonly SystemCallArgument[]) => Promise<bigint>

export type SystemCallArgument = number | bigint | string | Uint8Array

// ------------------------------------------------------------------------------------------------------------- guests

/** An assembled guest program. */
export interface GuestImage {
  readonly file: string
  readonly bytes: Uint8Array
  /** Guest physical address that it was assembled for, 0x40000000. */
  readonly address: bigint
  /** `_start`, or the first byte. */
  readonly entry: bigint
  /** Labels and `.equ` names. */
  readonly symbols: Readonly<Record<string, bigint>>
  /** @throws Error when the program has no such name */
  symbol(name: string): bigint
}

// ------------------------------------------------------------------------------------------------------------- errors

export type LabError = KernelError | SignalError | ClosedError | RefusedError

/** The kernel refused: a system call gave an errno. */
export declare class KernelError extends Error {
  /** Such as 22. */
  readonly errno: number
  /** Such as `EINVAL`. */
  readonly code: string
  /** The call as it was made, such as `ioctl(KVM_CREATE_VM, 0x80000000)`. */
  readonly call: string
  /** What that errno means here. */
  readonly explanation: string
}

/** A load or store of the VMM's process raised a signal. The process goes on: the agent catches it. */
export declare class SignalError extends Error {
  readonly signal: 'SIGSEGV' | 'SIGBUS'
  /** `SEGV_MAPERR`: nothing is mapped there. `SEGV_ACCERR`: something is, and it may not be reached. */
  readonly code: string
  /** Of the access that faulted. */
  readonly address: bigint
  readonly access: 'load' | 'store'
  /** How many bytes were read or written before. */
  readonly done: number
  readonly explanation: string
}

/** Something was used after it was closed, or after the machine was reset. Nothing was sent. */
export declare class ClosedError extends Error {
  readonly code: 'closed' | 'process-gone' | 'machine-gone' | 'script-ended'
  readonly explanation: string
}

/** The lab agent will not do this, because the machine's other half would be lost with it. Nothing was done. */
export declare class RefusedError extends Error {
  readonly code: 'refused'
  readonly explanation: string
}

// -------------------------------------------------------------------------------------------------------------- names

export type Capability =
  | 'KVM_CAP_USER_MEMORY'
  | 'KVM_CAP_NR_VCPUS'
  | 'KVM_CAP_NR_MEMSLOTS'
  | 'KVM_CAP_ONE_REG'
  | 'KVM_CAP_ARM_PSCI_0_2'
  | 'KVM_CAP_MAX_VCPUS'
  | 'KVM_CAP_READONLY_MEM'
  | 'KVM_CAP_ARM_VM_IPA_SIZE'
  | 'KVM_CAP_ARM_PMU_V3'
  | 'KVM_CAP_ARM_SVE'
  | 'KVM_CAP_ARM_PTRAUTH_ADDRESS'
  | 'KVM_CAP_ARM_MTE'
  | 'KVM_CAP_ARM_EL2'
  | 'KVM_CAP_GUEST_MEMFD'

export type CoreRegister =
  | 'x0' | 'x1' | 'x2' | 'x3' | 'x4' | 'x5' | 'x6' | 'x7' | 'x8' | 'x9' | 'x10' | 'x11' | 'x12' | 'x13' | 'x14' | 'x15'
  | 'x16' | 'x17' | 'x18' | 'x19' | 'x20' | 'x21' | 'x22' | 'x23' | 'x24' | 'x25' | 'x26' | 'x27' | 'x28' | 'x29' | 'x30'
  | 'sp' | 'pc' | 'pstate'

/** `sp` is SP_EL0 as `struct kvm_regs` has it; a guest that starts at EL1 uses `sp_el1`. */
export type RegisterName =
  | CoreRegister
  | 'sp_el1' | 'elr_el1' | 'spsr_el1' | 'spsr_abt' | 'spsr_und' | 'spsr_irq' | 'spsr_fiq'
  | 'midr_el1' | 'mpidr_el1' | 'ctr_el0' | 'clidr_el1'
  | 'id_aa64pfr0_el1' | 'id_aa64pfr1_el1' | 'id_aa64dfr0_el1' | 'id_aa64isar0_el1' | 'id_aa64isar1_el1'
  | 'id_aa64isar2_el1' | 'id_aa64mmfr0_el1' | 'id_aa64mmfr1_el1' | 'id_aa64mmfr2_el1'
  | 'sctlr_el1' | 'actlr_el1' | 'cpacr_el1' | 'ttbr0_el1' | 'ttbr1_el1' | 'tcr_el1' | 'esr_el1' | 'far_el1'
  | 'afsr0_el1' | 'afsr1_el1' | 'par_el1' | 'mair_el1' | 'amair_el1' | 'vbar_el1' | 'contextidr_el1' | 'tpidr_el1'
  | 'tpidr_el0' | 'tpidrro_el0' | 'cntkctl_el1' | 'mdscr_el1' | 'disr_el1' | 'csselr_el1'
  | 'cntv_ctl_el0' | 'cntv_cval_el0' | 'cntvct_el0'

export type SystemCallName =
  | 'getcwd' | 'eventfd2' | 'epoll_create1' | 'epoll_ctl' | 'epoll_pwait' | 'dup' | 'dup3' | 'fcntl' | 'ioctl'
  | 'mknodat' | 'mkdirat' | 'unlinkat' | 'symlinkat' | 'linkat' | 'umount2' | 'mount' | 'ftruncate' | 'fallocate'
  | 'faccessat' | 'chdir' | 'openat' | 'close' | 'pipe2' | 'getdents64' | 'lseek' | 'read' | 'write' | 'readv'
  | 'writev' | 'pread64' | 'pwrite64' | 'preadv' | 'pwritev' | 'sendfile' | 'ppoll' | 'vmsplice' | 'splice' | 'readlinkat' | 'newfstatat'
  | 'fstat' | 'sync' | 'capget' | 'capset' | 'set_tid_address' | 'unshare' | 'futex' | 'nanosleep' | 'clock_gettime'
  | 'clock_nanosleep' | 'syslog' | 'ptrace' | 'sched_yield' | 'kill' | 'rt_sigprocmask' | 'setpriority' | 'getpriority'
  | 'reboot' | 'setuid' | 'setresuid' | 'times' | 'uname' | 'getrusage' | 'prctl' | 'getcpu' | 'gettimeofday'
  | 'getpid' | 'getppid' | 'getuid' | 'geteuid' | 'getgid' | 'gettid' | 'sysinfo' | 'brk' | 'munmap' | 'mremap' | 'mmap' | 'mprotect' | 'msync'
  | 'mlock' | 'munlock' | 'mlockall' | 'munlockall' | 'mincore' | 'madvise' | 'wait4' | 'prlimit64'
  | 'process_vm_readv' | 'process_vm_writev' | 'finit_module' | 'getrandom' | 'memfd_create' | 'bpf' | 'mlock2'
  | 'copy_file_range' | 'pidfd_open' | 'process_madvise'
