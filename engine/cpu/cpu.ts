import type { SystemEvent } from '../isa/builder.ts'
import type { Decoder } from '../isa/decode.ts'
import type { Feature } from '../isa/row.ts'
import { sharedDecoder } from '../isa/shared-decoder.ts'
import { Contexts } from '../mmu/contexts.ts'
import { Mmu } from '../mmu/mmu.ts'
import { DAIF, HCR, Line, SCTLR, SsIl } from './control-bits.ts'
import { checkDebugBefore, checkWatchpoints, debugActive, stepAfter } from './debug.ts'
import { GuestException, Target, type TargetRule } from './exception.ts'
import { exceptionReturn, takeSynchronous } from './exception-entry.ts'
import { computeMode, enterLevel, fpTrapLevel, newContextMemo } from './exception-level.ts'
import { DCZID_BS, type IdRegisters, idRegisters, labFeatures } from './id-registers.ts'
import { interruptStatus, takePendingInterrupt, updatePending, wakesFromWfi } from './interrupts.ts'
import type { BusPort, CodeCachePort, CpuObserver, CpuPort, FirmwarePort, SystemRegisterDevice } from './port.ts'
import { lowWord, Slot } from './register-slots.ts'
import { type CpuState, FlagKind, Off, SYSREG_BASE } from './state.ts'
import { AbortIss, EC, FaultStatus, ISS_COND_ALWAYS, systemAccessIss } from './syndrome.ts'
import { systemOperation } from './system-operations.ts'
import { REGISTERS, registerAt } from './register-table.ts'
import { checkInterruptController } from './traps.ts'

export interface CpuOptions {
  readonly state: CpuState
  /** Default: the whole instruction table under the features. */
  readonly decoder?: Decoder
  readonly bus: BusPort
  /** Physical address and size in bytes of RAM. */
  readonly ramBase: number
  readonly ramBytes: number
  readonly devices?: readonly SystemRegisterDevice[]
  readonly firmware?: FirmwarePort
  /** Default: those of the model `lab`. */
  readonly features?: ReadonlySet<Feature>
  /** Without `features`: add AES, PMULL, SHA-1 and SHA-256. */
  readonly crypto?: boolean
  /** Physical address execution starts at after reset; default 0. */
  readonly resetAddress?: number
}

/** Encoding bits op0=3, op1=0, CRn=0 of the ID register space, above CRm. */
const ID_SPACE = 0xc000

/** One Armv8-A processor with EL0, EL1 and EL2. See port.ts for the contract with the tiers and the run loop. */
export class Cpu implements CpuPort {
  readonly state: CpuState
  readonly decoder: Decoder
  readonly mmu: Mmu
  readonly bus: BusPort
  readonly contexts: Contexts
  readonly features: ReadonlySet<Feature>
  readonly hasFp: boolean
  readonly id: IdRegisters
  /** GIC CPU interface and timers; asked in order. */
  devices: SystemRegisterDevice[]
  firmware: FirmwarePort | undefined
  codeCache: CodeCachePort | undefined
  observer: CpuObserver | undefined = undefined
  /** Set by WFI when nothing wakes it at once; the run loop skips time until `wakes()` and clears it. */
  waiting = false
  /** Physical address of the reset vector: RVBAR_EL2. */
  readonly resetAddress: bigint
  /** Called for each access to a system register or instruction that does not exist at the level it is made at. */
  onUndefined: ((encoding: number, pc: bigint) => void) | undefined

  private readonly memo = newContextMemo()
  private accessEncoding = 0
  private accessIsRead = false

  constructor(options: CpuOptions) {
    this.state = options.state
    this.features = options.features ?? labFeatures(options.crypto === true)
    this.hasFp = this.features.has('fp')
    this.decoder = options.decoder ?? sharedDecoder(this.features)
    this.bus = options.bus
    this.id = idRegisters(this.features)
    this.devices = [...(options.devices ?? [])]
    this.firmware = options.firmware
    this.resetAddress = BigInt(options.resetAddress ?? 0)
    this.mmu = new Mmu(options.state, options.ramBase, options.ramBytes)
    this.contexts = new Contexts(() => {
      this.mmu.tlb.clear()
      this.codeCache?.forgetLookups()
    })
    this.reset()
  }

  /** Cold reset: EL2 with SP_EL2, all interrupts masked, MMU off, PC at the reset address. RAM stays. */
  reset(): void {
    const { i32, u64, bytes } = this.state
    bytes.fill(0, 0, SYSREG_BASE)
    for (const r of REGISTERS) if (r.slot >= 0) this.setReg(r.slot, r.reset)
    for (const slot of [Slot.SP_EL0, Slot.SP_EL1, Slot.SP_EL2, Slot.EVENTS, Slot.LINES]) this.setReg(slot, 0n)
    this.setReg(Slot.OS_LOCK, 1n)
    i32[Off.flagKind >> 2] = FlagKind.packed
    i32[Off.el >> 2] = 2
    i32[Off.spSel >> 2] = 1
    u64[Off.sp >> 3] = 0n
    this.state.daif = DAIF.all
    this.state.pc = this.resetAddress
    this.waiting = false
    this.contexts.forgetAll()
    this.updateMode()
  }

  /**
   * The linear memory was replaced by a snapshot's: drop what was derived from the old one.
   * @param waiting the snapshot was taken in WFI.
   */
  restored(waiting: boolean): void {
    this.waiting = waiting
    this.contexts.forgetAll()
    updatePending(this)
    this.updateMode()
  }

  // ---- storage ------------------------------------------------------------------------------------------------------

  /** The register in a slot. */
  reg(slot: number): bigint {
    return this.state.u64[(SYSREG_BASE >> 3) + slot]!
  }

  setReg(slot: number, value: bigint): void {
    this.state.u64[(SYSREG_BASE >> 3) + slot] = value
  }

  /** Low 32 bits of a slot, as a signed number fit for masks. */
  low(slot: number): number {
    return this.state.i32[(SYSREG_BASE >> 2) + slot * 2]!
  }

  slotWord(slot: number): number {
    return lowWord(slot)
  }

  spSelected(): boolean {
    return this.state.i32[Off.spSel >> 2] !== 0
  }

  /** Write PSTATE.SP (at EL1 or EL2). */
  setSpSel(v: number): void {
    enterLevel(this, this.state.el, v)
    this.updateMode()
  }

  // ---- system registers ---------------------------------------------------------------------------------------------

  sysRead(encoding: number): bigint {
    const el = this.state.el
    this.accessEncoding = encoding
    this.accessIsRead = true
    const r = registerAt(encoding)
    if (r === undefined) return this.readOther(encoding, el)
    if (el < r.minEl || r.access === 'WO') this.undefinedRegister()
    r.check?.(this, false, el)
    if (r.read !== undefined) return r.read(this, el)
    if (r.device) return this.deviceRegister(encoding, el)
    return this.reg(r.slot)
  }

  sysWrite(encoding: number, value: bigint): void {
    const el = this.state.el
    this.accessEncoding = encoding
    this.accessIsRead = false
    const r = registerAt(encoding)
    if (r === undefined) {
      this.writeOther(encoding, value, el)
      return
    }
    if (el < r.minElWrite || r.access === 'RO') this.undefinedRegister()
    r.check?.(this, true, el)
    if (r.write !== undefined) {
      r.write(this, value)
      return
    }
    if (r.device) {
      this.writeDevice(encoding, value, el)
      return
    }
    this.setReg(r.slot, (value & r.mask) | r.res1)
    if (r.mode) {
      if (r.slot === Slot.HCR_EL2) updatePending(this)
      this.updateMode()
    }
  }

  /** Registers outside the table: the reserved ID space, implementation defined space, the GIC CPU interface. */
  private readOther(encoding: number, el: number): bigint {
    if ((encoding & 0xff80) === ID_SPACE && (encoding & 0x78) !== 0 && (encoding & 0x78) < 0x40) {
      if (el === 0) this.undefinedRegister()
      if (el === 1 && this.low(Slot.HCR_EL2) & HCR.TID3) this.trapSystemAccess(Target.el2)
      return this.id.feature.get(encoding) ?? 0n
    }
    this.checkOther(encoding, el)
    return this.deviceRegister(encoding, el)
  }

  private writeOther(encoding: number, value: bigint, el: number): void {
    this.checkOther(encoding, el)
    this.writeDevice(encoding, value, el)
  }

  private checkOther(encoding: number, el: number): void {
    if (encoding >>> 14 === 3) {
      const crn = (encoding >>> 7) & 15
      if (crn === 11 || crn === 15) this.checkImplementationDefined(el)
    }
    const op1 = (encoding >>> 11) & 7
    if (el < (op1 === 3 ? 0 : op1 >= 4 ? 2 : 1)) this.undefinedRegister()
    if (op1 === 0) checkInterruptController(this, encoding, el)
  }

  /** HCR_EL2.TIDCP: implementation defined encodings trap from EL1 (and from EL0, where they would be UNDEFINED). */
  checkImplementationDefined(el: number): void {
    if (el === 1 && this.low(Slot.HCR_EL2) & HCR.TIDCP) this.trapSystemAccess(Target.el2)
  }

  /** Read a register that a device holds, without access checks. @throws UNDEFINED when no device has it. */
  deviceRegister(encoding: number, el: number): bigint {
    for (const d of this.devices) {
      const v = d.readSystemRegister(encoding, el)
      if (v !== undefined) return v
    }
    return this.undefinedRegister()
  }

  private writeDevice(encoding: number, value: bigint, el: number): void {
    for (const d of this.devices) if (d.writeSystemRegister(encoding, value, el)) return
    this.undefinedRegister()
  }

  sysOp(encoding: number, value: bigint): void {
    this.accessEncoding = encoding
    this.accessIsRead = false
    systemOperation(this, encoding, value)
  }

  /** DC ZVA before it writes: SCTLR_EL1.DZE at EL0, HCR_EL2.TDZ. */
  checkZva(): void {
    const el = this.state.el
    this.accessEncoding = DC_ZVA
    this.accessIsRead = false
    if (el === 0 && !(this.low(Slot.SCTLR_EL1) & SCTLR.DZE)) this.trapSystemAccess(Target.usual)
    if (el < 2 && this.low(Slot.HCR_EL2) & HCR.TDZ) this.trapSystemAccess(Target.el2)
  }

  /** DCZID_EL0: bit 4 (DZP) tells that DC ZVA is prohibited here. */
  readDczid(): bigint {
    const el = this.state.el
    const prohibited =
      (el === 0 && !(this.low(Slot.SCTLR_EL1) & SCTLR.DZE)) || (el < 2 && (this.low(Slot.HCR_EL2) & HCR.TDZ) !== 0)
    return DCZID_BS | (prohibited ? 16n : 0n)
  }

  msrImm(op1: number, op2: number, imm: number): void {
    const el = this.state.el
    this.accessEncoding = (op1 << 11) | (4 << 7) | (imm << 3) | op2
    this.accessIsRead = false
    if (op1 === 0 && op2 === 5 && el !== 0) {
      this.setSpSel(imm & 1)
      return
    }
    if (op1 === 3 && (op2 === 6 || op2 === 7)) {
      if (el === 0 && !(this.low(Slot.SCTLR_EL1) & SCTLR.UMA)) this.trapSystemAccess(Target.usual)
      const bits = imm << 6
      this.state.daif = op2 === 6 ? this.state.daif | bits : this.state.daif & ~bits
      return
    }
    this.undefinedRegister()
  }

  // ---- exceptions ---------------------------------------------------------------------------------------------------

  /** Throw EC 0x18 for the access in progress. */
  trapSystemAccess(target: TargetRule): never {
    // MSR (immediate) reports Rt as 31, which is what its word has in bits 4:0.
    const rt = this.mmu.currentWord() & 31
    throw new GuestException(EC.systemAccess, systemAccessIss(this.accessEncoding, rt, this.accessIsRead), target)
  }

  /** Throw UNDEFINED for the system access in progress, and report it. */
  undefinedRegister(): never {
    this.onUndefined?.(this.accessEncoding, this.state.pc)
    throw new GuestException(EC.unknown, 0)
  }

  undefined(_word: number): never {
    throw new GuestException(EC.unknown, 0)
  }

  checkFp(): void {
    const el = this.state.el
    const level = fpTrapLevel(this.state.u32, el)
    if (level === 0) return
    throw new GuestException(EC.fpAccess, ISS_COND_ALWAYS, level === 2 ? Target.el2 : Target.usual)
  }

  alignmentFault(va: bigint, write: boolean): never {
    const iss = FaultStatus.alignment | (write ? AbortIss.wnr : 0)
    throw new GuestException(EC.dataAbort, iss, Target.usual, BigInt.asUintN(64, va))
  }

  spAlignmentFault(): never {
    throw new GuestException(EC.spAlignment, 0)
  }

  takeException(e: unknown): void {
    takeSynchronous(this, e)
  }

  event(kind: SystemEvent, imm: number, word: number): void {
    const el = this.state.el
    switch (kind) {
      case 'svc':
        throw new GuestException(EC.svc64, imm, Target.usual, undefined, -1, 4)
      case 'hvc':
        if (el === 0 || this.low(Slot.HCR_EL2) & HCR.HCD) this.undefined(word)
        throw new GuestException(EC.hvc64, imm, Target.el2, undefined, -1, 4)
      case 'smc':
        if (el === 0) this.undefined(word)
        if (el === 1 && this.low(Slot.HCR_EL2) & HCR.TSC) throw new GuestException(EC.smc64, imm, Target.el2)
        if (this.firmware === undefined) this.undefined(word)
        this.advance()
        this.observer?.firmwareCalled()
        this.firmware.call(this.state)
        this.observer?.firmwareReturned()
        return
      case 'brk':
        throw new GuestException(EC.brk64, imm)
      case 'eret':
        if (el === 0) this.undefined(word)
        exceptionReturn(this)
        return
      case 'wfi':
        if (!wakesFromWfi(this)) {
          this.checkWaitTrap(el, 0, SCTLR.nTWI, HCR.TWI)
          this.waiting = true
        }
        break
      case 'wfe':
        // The event register, or what WFE waits for with it clear: it may complete at any time, so it does at once.
        if (this.low(Slot.EVENTS) & 1) this.setReg(Slot.EVENTS, 0n)
        else this.checkWaitTrap(el, 1, SCTLR.nTWE, HCR.TWE)
        break
      case 'sev':
      case 'sevl':
        this.setReg(Slot.EVENTS, 1n)
        break
      case 'yield':
        break
      default:
        // HLT and DCPSn without halting debug, DRPS outside Debug state, UDF.
        this.undefined(word)
    }
    this.advance()
  }

  private checkWaitTrap(el: number, ti: number, sctlrBit: number, hcrBit: number): void {
    if (el === 0 && !(this.low(Slot.SCTLR_EL1) & sctlrBit)) {
      throw new GuestException(EC.wfx, ISS_COND_ALWAYS | ti, Target.usual)
    }
    if (el < 2 && this.low(Slot.HCR_EL2) & hcrBit) throw new GuestException(EC.wfx, ISS_COND_ALWAYS | ti, Target.el2)
  }

  private advance(): void {
    this.state.pc = BigInt.asUintN(64, this.state.pc + 4n)
  }

  /** AArch64.BranchAddr: with TBI in force at the current level the tag byte does not reach the PC. */
  branchAddress(va: bigint): bigint {
    const { u32 } = this.state
    const high = Number(va >> 56n)
    if (high === 0) return va
    const upper = (va >> 55n) & 1n
    const el = this.state.el
    if (el === 2) return u32[lowWord(Slot.TCR_EL2)]! & (1 << 20) ? BigInt.asUintN(56, va) : va
    const tbi = u32[lowWord(Slot.TCR_EL1) + 1]! & (upper ? 0x40 : 0x20)
    if (!tbi) return va
    return upper ? va | (0xffn << 56n) : BigInt.asUintN(56, va)
  }

  /** In a mode with ModeBit.tier0Only, before each instruction: illegal state, step, breakpoint exceptions. */
  checkBeforeInstruction(): void {
    if (this.state.i32[Off.ssIl >> 2]! & SsIl.IL) throw new GuestException(EC.illegalState, 0)
    checkDebugBefore(this)
  }

  /** In a mode with ModeBit.tier0Only, after an instruction that completed: the single step is used up. */
  afterInstruction(): void {
    stepAfter(this)
  }

  /** In a mode with ModeBit.tier0Only, for each data access once it has translated: watchpoint exceptions. */
  checkWatchpoints(va: bigint, bytes: number, write: boolean, unprivileged: boolean): void {
    const el = this.state.el
    checkWatchpoints(this, va, bytes, write, unprivileged && el === 1 ? 0 : el)
  }

  /** Do MDSCR_EL1.SS, MDE and the breakpoint registers make something happen at the current level? */
  debugActive(): boolean {
    return debugActive(this)
  }

  // ---- interrupts ---------------------------------------------------------------------------------------------------

  /** The levels of the four interrupt inputs, from the GIC. */
  setInterrupts(irq: boolean, fiq: boolean, virq: boolean, vfiq: boolean): void {
    const lines = (irq ? Line.irq : 0) | (fiq ? Line.fiq : 0) | (virq ? Line.virq : 0) | (vfiq ? Line.vfiq : 0)
    if (lines === this.low(Slot.LINES)) return
    this.setReg(Slot.LINES, BigInt(lines))
    updatePending(this)
  }

  takeInterrupt(): boolean {
    if (this.state.i32[Off.irqPending >> 2] === 0) return false
    if (!takePendingInterrupt(this)) return false
    this.waiting = false
    return true
  }

  /** Does an interrupt end a WFI now? */
  wakes(): boolean {
    return wakesFromWfi(this)
  }

  /** WFI has nothing to go on for: time may skip to the next deadline. Ends by itself when an interrupt is pending. */
  isWaiting(): boolean {
    if (this.waiting && wakesFromWfi(this)) this.waiting = false
    return this.waiting
  }

  /** Wait as WFI does (PSCI CPU_SUSPEND to a standby state). */
  standby(): void {
    if (!wakesFromWfi(this)) this.waiting = true
  }

  /** HCR_EL2.IMO and FMO: ICC_* accesses of that class at EL1 reach the virtual interface. */
  get routesIrqToEl2(): boolean {
    return (this.low(Slot.HCR_EL2) & HCR.IMO) !== 0
  }
  get routesFiqToEl2(): boolean {
    return (this.low(Slot.HCR_EL2) & HCR.FMO) !== 0
  }

  interruptStatus(el: number): number {
    return interruptStatus(this, el)
  }

  updateMode(): void {
    computeMode(this, this.memo)
  }
}

const DC_ZVA = 0x4000 | (3 << 11) | (7 << 7) | (4 << 3) | 1
