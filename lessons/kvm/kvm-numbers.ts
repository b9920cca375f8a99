/** Numbers of KVM's interface: include/uapi/linux/kvm.h and arch/arm64/include/uapi/asm/kvm.h. */
import type { Capability, VcpuFeature } from './lab.d.ts'

/** Type of KVM's ioctls. */
const KVMIO = 0xae
const IOC_WRITE = 1
const IOC_READ = 2

/** An ioctl request: direction in bits 31:30, size of the argument in 29:16, type in 15:8, number in 7:0. */
function request(direction: number, number: number, bytes: number): number {
  return ((direction << 30) | (bytes << 16) | (KVMIO << 8) | number) >>> 0
}
const io = (number: number) => request(0, number, 0)
const iow = (number: number, bytes: number) => request(IOC_WRITE, number, bytes)
const ior = (number: number, bytes: number) => request(IOC_READ, number, bytes)
const iowr = (number: number, bytes: number) => request(IOC_READ | IOC_WRITE, number, bytes)

/** Sizes of the structures that the requests carry. */
export const STRUCT_BYTES = {
  kvm_userspace_memory_region: 32,
  kvm_vcpu_init: 32,
  kvm_one_reg: 16,
  /** `kvm_reg_list` without its array. */
  kvm_reg_list: 8,
} as const

export const KVM = {
  GET_API_VERSION: io(0x00),
  CREATE_VM: io(0x01),
  CHECK_EXTENSION: io(0x03),
  GET_VCPU_MMAP_SIZE: io(0x04),
  CREATE_VCPU: io(0x41),
  SET_USER_MEMORY_REGION: iow(0x46, STRUCT_BYTES.kvm_userspace_memory_region),
  RUN: io(0x80),
  GET_ONE_REG: iow(0xab, STRUCT_BYTES.kvm_one_reg),
  SET_ONE_REG: iow(0xac, STRUCT_BYTES.kvm_one_reg),
  ARM_VCPU_INIT: iow(0xae, STRUCT_BYTES.kvm_vcpu_init),
  ARM_PREFERRED_TARGET: ior(0xaf, STRUCT_BYTES.kvm_vcpu_init),
  GET_REG_LIST: iowr(0xb0, STRUCT_BYTES.kvm_reg_list),
} as const

const REQUEST_NAME = new Map<number, string>(Object.entries(KVM).map(([name, number]) => [number, `KVM_${name}`]))

/** @returns such as `KVM_RUN`, or the number in hexadecimal. */
export function ioctlName(number: bigint | number): string {
  return REQUEST_NAME.get(Number(number)) ?? `0x${number.toString(16)}`
}

export const KVM_VM_TYPE_ARM_PROTECTED = 0x80000000n
export const KVM_MEM_READONLY = 2

/** `exit_reason` of struct kvm_run. */
export const KVM_EXIT = {
  UNKNOWN: 0,
  HYPERCALL: 3,
  DEBUG: 4,
  MMIO: 6,
  SHUTDOWN: 8,
  FAIL_ENTRY: 9,
  INTR: 10,
  INTERNAL_ERROR: 17,
  SYSTEM_EVENT: 24,
  ARM_NISV: 28,
  DIRTY_RING_FULL: 31,
  MEMORY_FAULT: 39,
} as const

const EXIT_NAME = new Map<number, string>(Object.entries(KVM_EXIT).map(([name, number]) => [number, `KVM_EXIT_${name}`]))

export function exitName(reason: number): string {
  return EXIT_NAME.get(reason) ?? `exit reason ${reason}`
}

/** KVM_SYSTEM_EVENT_*. */
export const SYSTEM_EVENT = { 1: 'shutdown', 2: 'reset', 3: 'crash', 4: 'wakeup', 5: 'suspend' } as const

/** KVM_HYPERCALL_EXIT_SMC of `hypercall.flags`. */
export const HYPERCALL_EXIT_SMC = 1n

export const CAPABILITY: Readonly<Record<Capability, number>> = {
  KVM_CAP_USER_MEMORY: 3,
  KVM_CAP_NR_VCPUS: 9,
  KVM_CAP_NR_MEMSLOTS: 10,
  KVM_CAP_MAX_VCPUS: 66,
  KVM_CAP_ONE_REG: 70,
  KVM_CAP_READONLY_MEM: 81,
  KVM_CAP_ARM_PSCI_0_2: 102,
  KVM_CAP_ARM_PMU_V3: 126,
  KVM_CAP_ARM_VM_IPA_SIZE: 165,
  KVM_CAP_ARM_SVE: 170,
  KVM_CAP_ARM_PTRAUTH_ADDRESS: 171,
  KVM_CAP_ARM_MTE: 205,
  KVM_CAP_GUEST_MEMFD: 234,
  KVM_CAP_ARM_EL2: 240,
}

/** Bits of `kvm_vcpu_init.features`: KVM_ARM_VCPU_*. */
export const VCPU_FEATURE: Readonly<Record<VcpuFeature, number>> = {
  'power-off': 0,
  'el1-32bit': 1,
  'psci-0.2': 2,
  'pmu-v3': 3,
  sve: 4,
  'ptrauth-address': 5,
  'ptrauth-generic': 6,
  'has-el2': 7,
}
