/**
 * What an errno means here: by call, in words for somebody who writes a VMM under pKVM. `KVM_...` are ioctls, other
 * names system calls; `name path` is a system call on that file.
 */
import { errnoName } from './errno.ts'

/** What is known of the machine when a call fails. */
export interface Circumstances {
  /** `/proc/cmdline`. */
  commandLine?: string
  /** Argument of KVM_CREATE_VM. */
  vmType?: bigint
}

type Explanation = string | ((at: Circumstances) => string)
type Table = Readonly<Record<string, Explanation>>

/** The last `kvm-arm.mode=` of a command line counts. */
export function armMode(commandLine: string): string | null {
  return [...commandLine.matchAll(/(?:^|\s)kvm[-_]arm[._]mode=(\S*)/g)].at(-1)?.[1] ?? null
}

const PROTECTED = 0x80000000n
const TYPE_BITS = 0x800000ffn

function createVmEinval({ commandLine, vmType = 0n }: Circumstances): string {
  if ((vmType & ~TYPE_BITS) !== 0n) {
    return `The type has bits that arm64 does not know (${hex(vmType & ~TYPE_BITS)}). Only bit 31 (protected) and bits 7:0 (IPA size) mean something.`
  }
  if ((vmType & PROTECTED) === 0n) {
    return 'The IPA size in bits 7:0 of the type is not one that this processor offers: 32 up to KVM_CAP_ARM_VM_IPA_SIZE, or 0 for 40 bits.'
  }
  const mode = commandLine === undefined ? undefined : armMode(commandLine)
  if (mode === undefined) {
    return 'Type bit 31 asks for a protected VM. The kernel makes one only when it runs under pKVM (kvm-arm.mode=protected) and its build offers protected VMs to user space.'
  }
  if (mode !== 'protected') {
    return (
      `Type bit 31 asks for a protected VM, and this host does not run under pKVM: its command line says ` +
      `${mode === null ? 'nothing about kvm-arm.mode' : `kvm-arm.mode=${mode}`}. Boot with kvm-arm.mode=protected. Nothing was tainted.`
    )
  }
  return (
    'Type bit 31 asks for a protected VM, the host was booted with kvm-arm.mode=protected, and it refuses: either pKVM ' +
    'did not start (see the kernel’s messages), or this kernel is built with PROTECTED_VM_UAPI=n, which hides protected VMs.'
  )
}

const EBADF = 'The descriptor is not open (any more). Was it closed under it?'
const EFAULT_USER = 'An address that the kernel was to read or write is not reachable for it.'

const BY_CALL: Readonly<Record<string, Table>> = {
  'openat /dev/kvm': {
    ENOENT:
      'This kernel offers no KVM: the processor did not come up at EL2, or the command line says kvm-arm.mode=none, or KVM could not start. The kernel’s messages tell which.',
    ENXIO: 'The device node is there, and no KVM behind it.',
    ENODEV: 'The device node is there, and no KVM behind it.',
    EACCES: 'The process may not open /dev/kvm.',
  },
  KVM_CREATE_VM: {
    EINVAL: createVmEinval,
    ENOMEM:
      'No memory for another VM. Under pKVM the hypervisor’s table holds 255 VMs, and KVM_CREATE_VM of the 256th ends so: close one.',
    EPERM: 'The hypervisor refused a page that the host offered it for this VM: it is not the host’s to give.',
    EBUSY: 'The hypervisor is busy with the page or the handle that the VM needs.',
    EMFILE: 'The process has as many descriptors open as RLIMIT_NOFILE allows. Close some.',
  },
  KVM_CREATE_VCPU: {
    EEXIST: 'The VM has a vCPU with this id already.',
    EINVAL: 'The id is as large as KVM_CAP_MAX_VCPUS or larger, or the VM is full.',
    ENOMEM: 'No memory for the vCPU.',
    EBADF,
    EIO: 'The VM belongs to another process: only the one that made it may use it.',
    EPERM: 'The vCPU’s pages could not be shared with the hypervisor.',
  },
  KVM_SET_USER_MEMORY_REGION: {
    EEXIST: 'The guest addresses overlap another slot.',
    EINVAL:
      'Guest address, size and user address must be multiples of 4096, the slot number below KVM_CAP_NR_MEMSLOTS, and a slot’s size cannot be changed.',
    EFAULT: 'The range lies outside the guest’s address space, or its memory is not mapped in this process.',
    EPERM:
      'A slot of a protected VM that has run cannot be deleted, moved or made read-only: the guest’s pages are not the host’s to take.',
    ENOMEM: 'No memory for the slot.',
    EBADF,
    EIO: 'The VM belongs to another process.',
  },
  KVM_ARM_PREFERRED_TARGET: { ENODEV: 'KVM does not know this processor.' },
  KVM_ARM_VCPU_INIT: {
    EINVAL:
      'A feature is not allowed for this VM, or the vCPU was initialised with other features before. Protected VMs may have fewer features than normal ones.',
    ENOENT: 'A feature is unknown to this kernel.',
    EPERM: 'The vCPU has run; a protected VM’s vCPU is initialised once.',
    EBADF,
  },
  KVM_GET_ONE_REG: {
    ENOENT: 'The vCPU has no such register, or it is hidden from this guest.',
    ENOEXEC: 'The vCPU is not initialised: KVM_ARM_VCPU_INIT comes first.',
    EINVAL: 'No register id of this form.',
    EPERM: 'This vCPU’s registers are not for the host to see.',
    EBADF,
  },
  KVM_SET_ONE_REG: {
    ENOENT: 'The vCPU has no such register, or it is hidden from this guest.',
    ENOEXEC: 'The vCPU is not initialised: KVM_ARM_VCPU_INIT comes first.',
    EINVAL: 'The register does not take this value: it is read-only, or bits of it are fixed.',
    EPERM: 'The register is not the host’s to write.',
    EBUSY: 'The register cannot be changed once a vCPU has run.',
    EBADF,
  },
  KVM_GET_REG_LIST: { ENOEXEC: 'The vCPU is not initialised: KVM_ARM_VCPU_INIT comes first.', EBADF },
  KVM_RUN: {
    EFAULT:
      'The guest touched a page that it cannot get. Either no memory is mapped behind the slot, or the page was taken back ' +
      'by force: the hypervisor poisoned it in the guest’s stage 2, and each touch ends the run so.',
    ENOEXEC: 'The vCPU was never initialised: KVM_ARM_VCPU_INIT comes before KVM_RUN.',
    ENOMEM:
      'The host could not give the guest another page. Pages of a protected VM are pinned and count against RLIMIT_MLOCK ' +
      'of this process (unless it has CAP_IPC_LOCK); or the host is out of memory.',
    EINVAL: 'The VM is not complete, or it is dying.',
    EPERM:
      'The hypervisor refused what the host asked for this vCPU: a page was not the host’s to give, or the guest’s memory is not of the kind that can be given.',
    EIO: 'The VM was made by another process, or is dead after an internal error (KVM_BUG).',
    EBADF: 'The vCPU’s descriptor is closed. The VM and its vCPU live on as long as another descriptor or the mapping of struct kvm_run does.',
    ENOSYS:
      'The guest accessed an address that no slot backs with an instruction whose effect the hardware does not describe (a pair, a write-back). KVM cannot emulate that.',
    EHWPOISON: 'The guest touched a page that is poisoned.',
    EBUSY: 'The hypervisor has the vCPU loaded already.',
    E2BIG: 'The hypervisor was asked to map more than it takes at once.',
    EEXIST: 'The hypervisor has this VM or vCPU already.',
  },
  KVM_CHECK_EXTENSION: { EBADF },
  mmap: {
    ENOMEM: 'No room in the address space, or more locked memory than RLIMIT_MLOCK allows.',
    EINVAL: 'The size is 0, or address or flags make no sense.',
    ENODEV: 'This descriptor cannot be mapped.',
    EBADF,
  },
  munmap: { EINVAL: 'The address is no multiple of 4096, or the size is 0.' },
  mlock: { ENOMEM: 'More than RLIMIT_MLOCK allows, or part of the range is not mapped.', EPERM: 'RLIMIT_MLOCK is 0 for this process.' },
  'write pipe': {
    EFAULT:
      'The kernel could not read the bytes at that address for this process. On a page that the host gave to a protected VM, ' +
      'the kernel’s own access meets the hypervisor’s abort and mends it into this errno; the page stays as it is.',
  },
  'read pipe': {
    EFAULT:
      'The kernel could not write the bytes to that address for this process: not mapped, not writable, or a page that the host gave to a protected VM.',
  },
  'pread64 /proc/self/mem': {
    EIO: 'Nothing is mapped at that address, or the page cannot be reached through the kernel’s linear map.',
    EFAULT: 'The kernel could not reach the page.',
  },
  'pwrite64 /proc/self/mem': { EIO: 'Nothing is mapped at that address, or it may not be written.', EFAULT: 'The kernel could not reach the page.' },
  prlimit64: {
    EPERM: 'Only a process with CAP_SYS_RESOURCE may raise its maximum.',
    EINVAL: 'The current limit is above the maximum.',
  },
  openat: {
    ENOENT: 'There is no such file. The lab’s initrd has /proc, /sys, /dev and little more.',
    EACCES: 'The process may not open it so.',
    EISDIR: 'It is a directory.',
    EMFILE: 'The process has as many descriptors open as RLIMIT_NOFILE allows. Close some.',
  },
  close: { EBADF },
}

const BY_ERRNO: Readonly<Record<string, string>> = {
  EPERM: 'The kernel does not allow it to this process.',
  ENOENT: 'There is no such thing.',
  EINTR: 'The time limit for the call was over before it was done.',
  EIO: 'Input or output failed.',
  ENOEXEC: 'It is not in a state to be executed.',
  EBADF,
  EAGAIN: 'Not now: it would have to wait.',
  ENOMEM: 'No memory for it, or a limit is reached.',
  EACCES: 'The process may not do that.',
  EFAULT: EFAULT_USER,
  EBUSY: 'It is in use.',
  EEXIST: 'It is there already.',
  ENODEV: 'There is no such device.',
  EINVAL: 'The kernel does not accept one of the arguments.',
  EMFILE: 'The process has as many descriptors open as RLIMIT_NOFILE allows.',
  ENOTTY: 'This descriptor does not know that ioctl: is it the right kind of descriptor?',
  ENOSYS: 'This kernel has no such system call.',
  ENOTDIR: 'It is not a directory.',
  ESRCH: 'There is no such process.',
  EOPNOTSUPP: 'It is not supported here.',
  EHWPOISON: 'The page is poisoned.',
}

/**
 * @param call name as in the table above
 * @returns one to three sentences; never empty
 */
export function explain(call: string, errno: number, circumstances: Circumstances = {}): string {
  const code = errnoName(errno)
  const found = BY_CALL[call]?.[code] ?? BY_CALL[call.split(' ')[0] ?? '']?.[code] ?? BY_ERRNO[code]
  if (found === undefined) return `The kernel refused with errno ${errno}.`
  return typeof found === 'string' ? found : found(circumstances)
}

/** Whether an explanation is written for just this call. */
export function isExplained(call: string, errno: number): boolean {
  return BY_CALL[call]?.[errnoName(errno)] !== undefined
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`
}
