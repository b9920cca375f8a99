/**
 * The CPU's architectural state, laid out in the one linear memory that the engine, the TLB, the jump cache and guest
 * RAM share. Translated WebAssembly reaches everything in it by constant address; TypeScript through the views below.
 *
 * ```
 * 0x0000_0000  registers, flags, budget, vector registers      (STATE_*)
 * 0x0000_0800  system registers, 8 bytes a slot                (SYSREG_BASE)
 * 0x0001_0000  TLB, TLB_ENTRIES x 32 bytes                     (see mmu/tlb.ts)
 * 0x0004_0000  jump cache, JUMP_ENTRIES x 16 bytes             (see translate/dispatch.ts)
 * 0x0010_0000  guest RAM                                       (RAM_BASE), a multiple of 64 KiB long
 * ```
 */
export const SYSREG_BASE = 0x800
export const SYSREG_SLOTS = 512
export const TLB_BASE = 0x10000
export const TLB_ENTRIES = 4096
export const TLB_ENTRY_BYTES = 32
export const JUMP_BASE = 0x40000
export const JUMP_ENTRIES = 16384
export const JUMP_ENTRY_BYTES = 16
export const RAM_BASE = 0x100000

/** Byte offsets in linear memory. */
export const Off = {
  /** X0..X30, then at index 31 the *current* stack pointer (banked with SP_ELx on a change of EL or SPSel). */
  x: 0x000,
  sp: 0x0f8,
  pc: 0x100,
  /** Lazy NZCV, see FlagKind. */
  flagKind: 0x108,
  flagA: 0x110,
  flagB: 0x118,
  /** i32: instructions that may still retire before the run loop must look at timers and inputs. */
  budget: 0x120,
  /** i32: non-zero when an interrupt is pending and unmasked-or-not for the CPU (device level, before PSTATE masks). */
  irqPending: 0x124,
  /** i32: jump-cache key: TLB context << 8 | translation mode (see ModeBit). Changes with EL, ASID, VMID, SPSel, ... */
  codeKey: 0x128,
  /** i32: TLB context of accesses at the current EL, 1..4095. */
  context: 0x12c,
  /** i32: TLB context of LDTR/STTR (EL0's when at EL1, else the current one). */
  contextUnprivileged: 0x130,
  /** i32: bytes of the open exclusive monitor, 0 = closed. */
  exclusiveBytes: 0x134,
  exclusiveAddress: 0x138,
  /** u64: virtual address handed to the TLB-miss helper. */
  missAddress: 0x140,
  /** i32: PSTATE.DAIF as in SPSR bits 9:6 (D=0x200 A=0x100 I=0x80 F=0x40). */
  daif: 0x148,
  /** i32: current exception level 0..2. */
  el: 0x14c,
  /** i32: PSTATE.SPSel. */
  spSel: 0x150,
  /** i32: PSTATE.SS, bit 0; PSTATE.IL, bit 1. */
  ssIl: 0x154,
  /** i32: generation of virtual-address lookups << 20, or-ed into the key of jump-cache entries; owned by translate/. */
  lookupEpoch: 0x158,
  /** V0..V31, 16 bytes each. */
  v: 0x200,
  fpcr: 0x400,
  fpsr: 0x404,
  /** Arguments and results of helper calls, 8 x 16 bytes. */
  scratch: 0x480,
} as const

/**
 * NZCV is kept lazily: the operands of the last flag-setting operation, turned into bits when someone reads them.
 * flagA and flagB are zero-extended for the 32-bit kinds. Hashes, snapshots and comparisons use `CpuState.nzcv()`.
 */
export const FlagKind = {
  /** flagA holds the bits, N=8 Z=4 C=2 V=1. */
  packed: 0,
  add64: 1,
  sub64: 2,
  add32: 3,
  sub32: 4,
  /** N and Z of flagA, C = V = 0. */
  logic64: 5,
  logic32: 6,
} as const

/** Bits of the translation mode: everything besides the instruction words that changes what a translation means. */
export const ModeBit = {
  /** bits 1:0: exception level. */
  elMask: 0x03,
  /** PSTATE.SPSel. */
  spSel: 0x04,
  /** FP and Advanced SIMD trap at this EL (CPACR_EL1.FPEN, CPTR_EL2): every such instruction goes to tier 0. */
  fpTrap: 0x08,
  /** Unaligned data accesses fault: SCTLR_ELx.A, or stage 1 off (all data accesses are Device). */
  alignCheck: 0x10,
  /** SCTLR_ELx.SA / SA0: a misaligned SP used as a base faults. */
  spAlignCheck: 0x20,
  /** Anything rare in which no instruction may be translated: single step, IL set, traps of EL0 accesses in force that translated code does not test. */
  tier0Only: 0x40,
} as const

/** Typed views on the linear memory, and the few accessors everything shares. */
export class CpuState {
  readonly bytes: Uint8Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly u64: BigUint64Array
  readonly dataView: DataView
  /** X0..X30 and SP at 31. */
  readonly x: BigUint64Array

  /** @param buffer the linear memory, at least RAM_BASE bytes and a multiple of 8. */
  constructor(readonly buffer: ArrayBuffer) {
    this.bytes = new Uint8Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.u64 = new BigUint64Array(buffer)
    this.dataView = new DataView(buffer)
    this.x = new BigUint64Array(buffer, Off.x, 32)
  }

  get pc(): bigint {
    return this.u64[Off.pc >> 3]!
  }
  set pc(v: bigint) {
    this.u64[Off.pc >> 3] = v
  }
  get el(): number {
    return this.i32[Off.el >> 2]!
  }
  get daif(): number {
    return this.i32[Off.daif >> 2]!
  }
  set daif(v: number) {
    this.i32[Off.daif >> 2] = v
  }

  /** PSTATE.NZCV packed N=8 Z=4 C=2 V=1. */
  nzcv(): number {
    const a = this.u64[Off.flagA >> 3]!
    const b = this.u64[Off.flagB >> 3]!
    switch (this.i32[Off.flagKind >> 2]) {
      case FlagKind.packed:
        return Number(a & 15n)
      case FlagKind.add64:
        return addNzcv(a, b, 64n)
      case FlagKind.sub64:
        return subNzcv(a, b, 64n)
      case FlagKind.add32:
        return addNzcv(a, b, 32n)
      case FlagKind.sub32:
        return subNzcv(a, b, 32n)
      case FlagKind.logic64:
        return (a >> 63n ? 8 : 0) | (a === 0n ? 4 : 0)
      default:
        return (a & 0x80000000n ? 8 : 0) | ((a & 0xffffffffn) === 0n ? 4 : 0)
    }
  }

  setNzcv(packed: number): void {
    this.i32[Off.flagKind >> 2] = FlagKind.packed
    this.u64[Off.flagA >> 3] = BigInt(packed & 15)
  }
}

function addNzcv(a: bigint, b: bigint, bits: bigint): number {
  const sum = a + b
  const r = BigInt.asUintN(Number(bits), sum)
  const top = bits - 1n
  return (
    Number((r >> top) << 3n) | (r === 0n ? 4 : 0) | (sum >> bits ? 2 : 0) | Number(((~(a ^ b) & (a ^ r)) >> top) & 1n)
  )
}

function subNzcv(a: bigint, b: bigint, bits: bigint): number {
  const r = BigInt.asUintN(Number(bits), a - b)
  const top = bits - 1n
  return Number((r >> top) << 3n) | (r === 0n ? 4 : 0) | (a >= b ? 2 : 0) | Number((((a ^ b) & (a ^ r)) >> top) & 1n)
}
