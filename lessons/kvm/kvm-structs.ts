/** Structures that cross KVM's ioctls, as bytes: include/uapi/linux/kvm.h. Little-endian, as arm64 is. */
import { STRUCT_BYTES } from './kvm-numbers.ts'

function structure(bytes: number): { bytes: Uint8Array; view: DataView } {
  const array = new Uint8Array(bytes)
  return { bytes: array, view: new DataView(array.buffer) }
}

/** struct kvm_userspace_memory_region. */
export function memoryRegion(region: {
  slot: number
  flags: number
  guestAddress: bigint
  bytes: number
  userAddress: bigint
}): Uint8Array {
  const { bytes, view } = structure(STRUCT_BYTES.kvm_userspace_memory_region)
  view.setUint32(0, region.slot, true)
  view.setUint32(4, region.flags, true)
  view.setBigUint64(8, region.guestAddress, true)
  view.setBigUint64(16, BigInt(region.bytes), true)
  view.setBigUint64(24, region.userAddress, true)
  return bytes
}

/** struct kvm_vcpu_init: u32 target, u32 features[7]. `features` are bit numbers. */
export function vcpuInit(target: number, features: readonly number[]): Uint8Array {
  const { bytes, view } = structure(STRUCT_BYTES.kvm_vcpu_init)
  view.setUint32(0, target, true)
  for (const bit of features) {
    const at = 4 + 4 * (bit >> 5)
    view.setUint32(at, (view.getUint32(at, true) | (1 << (bit & 31))) >>> 0, true)
  }
  return bytes
}

/** struct kvm_one_reg: u64 id, u64 address of the value. */
export function oneReg(id: bigint, valueAddress: bigint): Uint8Array {
  const { bytes, view } = structure(STRUCT_BYTES.kvm_one_reg)
  view.setBigUint64(0, id, true)
  view.setBigUint64(8, valueAddress, true)
  return bytes
}

/** The part of struct kvm_run that `readExit` needs, from its start. */
export const RUN_BYTES = 168
const UNION = 32
/** Offset of `mmio.data`, where the VMM leaves what the guest is to load. */
export const RUN_MMIO_DATA = UNION + 8

/** What struct kvm_run says, as the union's member for the exit reason; null for reasons that carry nothing known. */
export interface KvmRun {
  exitReason: number
  mmio: { address: bigint; data: Uint8Array; length: number; isWrite: boolean }
  hypercall: { number: bigint; args: bigint[]; flags: bigint }
  failEntry: { hardwareReason: bigint; cpu: number }
  internal: { suberror: number; data: bigint[] }
  systemEvent: { type: number; data: bigint[] }
  memoryFault: { flags: bigint; guestAddress: bigint; bytes: bigint }
}

/** Every member of the union; only the one that `exitReason` names has a meaning. */
export function readRun(bytes: Uint8Array): KvmRun {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (offset: number) => view.getUint32(UNION + offset, true)
  const quad = (offset: number) => view.getBigUint64(UNION + offset, true)
  const quads = (offset: number, count: number) => Array.from({ length: Math.min(count, 16) }, (_, i) => quad(offset + 8 * i))
  const length = Math.min(word(16), 8)
  return {
    exitReason: view.getUint32(8, true),
    mmio: { address: quad(0), data: bytes.slice(RUN_MMIO_DATA, RUN_MMIO_DATA + length), length, isWrite: view.getUint8(UNION + 20) !== 0 },
    hypercall: { number: quad(0), args: quads(8, 6), flags: quad(64) },
    failEntry: { hardwareReason: quad(0), cpu: word(8) },
    internal: { suberror: word(0), data: quads(8, word(4)) },
    systemEvent: { type: word(0), data: quads(8, word(4)) },
    memoryFault: { flags: quad(0), guestAddress: quad(8), bytes: quad(16) },
  }
}

/** A value as the bytes that a load of `length` bytes gives. */
export function littleEndian(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true)
  return bytes.slice(0, length)
}

/** Up to 8 bytes as a number. */
export function wordOf(bytes: Uint8Array): bigint {
  const all = new Uint8Array(8)
  all.set(bytes.subarray(0, 8))
  return new DataView(all.buffer).getBigUint64(0, true)
}
