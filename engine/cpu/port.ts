import type { Decoder } from '../isa/decode.ts'
import type { SystemEvent } from '../isa/builder.ts'
import type { CpuState } from './state.ts'

/** What an access is for. Decides permissions and the syndrome. */
export const Access = { read: 0, write: 1, fetch: 2 } as const
export type AccessKind = 0 | 1 | 2

/**
 * What tier 0, tier 1 and the run loop need of the CPU. `cpu/cpu.ts` implements it.
 *
 * Methods that can raise an exception throw a `GuestException` (cpu/exception.ts); the run loop catches it and calls
 * `takeException`. Off.pc is the address of the executing instruction until the run loop advances it.
 */
export interface CpuPort {
  readonly state: CpuState
  readonly decoder: Decoder
  readonly mmu: MmuPort
  readonly bus: BusPort
  /** Somebody who watches; told of rare things only, all of them done by tier 0. */
  readonly observer?: CpuObserver | undefined

  sysRead(encoding: number): bigint
  sysWrite(encoding: number, value: bigint): void
  /** TLBI, AT, IC, DC (all but DC ZVA, which the builder does after `checkZva`). */
  sysOp(encoding: number, value: bigint): void
  /** DC ZVA: throws when it traps at the current EL. */
  checkZva(): void
  /** BranchAddr(): strips or extends the tag byte of a branch target where TBI is in force. */
  branchAddress(va: bigint): bigint
  msrImm(op1: number, op2: number, imm: number): void
  /** Throws for exceptions; for eret/wfi/... performs them and sets Off.pc to where execution goes on. */
  event(kind: SystemEvent, imm: number, word: number): void
  /** Throws when FP/SIMD traps at the current EL. */
  checkFp(): void
  /** Throws an alignment fault for a data access. */
  alignmentFault(va: bigint, write: boolean): never
  /**
   * Throws watchpoint exceptions. Asked in a mode with ModeBit.tier0Only for each data access that has translated,
   * before a store is done.
   */
  checkWatchpoints?(va: bigint, bytes: number, write: boolean, unprivileged: boolean): void
  /** Throws SP alignment fault. */
  spAlignmentFault(): never
  /** Throws UNDEFINED for the word. */
  undefined(word: number): never
  /** Enter the handler of a thrown exception; Off.pc is the faulting or returning instruction as the class demands. */
  takeException(e: unknown): void
  /** If an interrupt is pending, unmasked and routed here, take it. @returns true when taken. */
  takeInterrupt(): boolean
  /** Recompute codeKey and contexts after a change of EL, SCTLR, TTBR, TCR, VTTBR, HCR, CPACR, ... */
  updateMode(): void
}

/** A reader of what the machine does (the event log). It must change nothing. */
export interface CpuObserver {
  /**
   * Index: page of RAM. Non-zero where `watchedStore` wants to hear of stores; such a page must be under
   * `Mmu.watch` too, which keeps translated code from storing to it.
   */
  readonly watched: Uint8Array
  /**
   * A store, a DC ZVA or the write half of an atomic was done to a watched page.
   * @param linear linear-memory address of its first byte, where the new bytes are now.
   * @param old the bytes that were there; all lie in one page.
   */
  watchedStore(linear: number, old: Uint8Array): void
  /**
   * An exception was taken: the state is the handler's. X0 to X30 are still those of the interrupted code.
   * @param vector offset of its kind from VBAR (0 synchronous, 0x80 IRQ, 0x100 FIQ, 0x180 SError).
   * @param returnAddress what went to ELR.
   */
  exceptionTaken(source: number, target: number, vector: number, returnAddress: bigint): void
  /** ERET is done: the state is that of where it went. */
  exceptionReturned(source: number, target: number): void
  /** SMC to the firmware, which is about to answer. The PC is already past it. */
  firmwareCalled(): void
  /** The firmware has answered in X0 to X3. */
  firmwareReturned(): void
}

export interface MmuPort {
  /**
   * Translate for a data access that lies within one page, filling the TLB.
   * @returns the linear-memory address (> 0) of the byte, or 0 when it is not plain RAM: then `physical` holds the
   *   physical address for the bus and `device` tells whether the memory type is Device.
   * @throws GuestException on a fault.
   */
  translate(vaLow: number, vaHigh: number, access: AccessKind, unprivileged: boolean): number
  /** Like translate, but gives 0 on a fault or a non-RAM page instead of throwing; the tier-1 miss helper. */
  tryTranslate(vaLow: number, vaHigh: number, access: AccessKind, unprivileged: boolean): number
  /** Physical address (a safe integer) of the last translate. */
  readonly physical: number
  readonly device: boolean
}

export interface BusPort {
  /** Read 1, 2, 4 or 8 bytes of a device register. @throws BusError (cpu/exception.ts) for addresses nothing answers. */
  read(physical: number, bytes: number): bigint
  write(physical: number, bytes: number, value: bigint): void
}

/** What the CPU tells the code cache. */
export interface CodeCachePort {
  /** IC IVAU: the 64-byte line at this physical address may have changed. */
  invalidateLine(physical: number): void
  /** IC IALLU(IS): anything may have changed. */
  invalidateAll(): void
  /** TLBI that hit code pages: forget virtual-address lookups (the jump cache), keep translations. */
  forgetLookups(): void
}

/** System registers that live in devices: the GIC CPU interface (ICC_*, ICH_*, ICV_* by redirection) and the timers. */
export interface SystemRegisterDevice {
  /** @returns undefined when the encoding is not one of this device's. Access checks (EL, traps) are done by the CPU. */
  readSystemRegister(encoding: number, el: number): bigint | undefined
  /** @returns false when the encoding is not one of this device's. */
  writeSystemRegister(encoding: number, value: bigint, el: number): boolean
}

/** SMC from EL1 or EL2 when not trapped: the firmware (PSCI). Reads arguments from and writes results to state.x. */
export interface FirmwarePort {
  call(state: CpuState): void
}
