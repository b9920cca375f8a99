import type { Cpu } from './cpu.ts'
import { DAIF, HCR, MDSCR, SPSR, SsIl } from './control-bits.ts'
import { BusError, GuestException, Target } from './exception.ts'
import { debugEnabledFrom, debugTargetEl, enterLevel } from './exception-level.ts'
import { Slot } from './register-slots.ts'
import { Off } from './state.ts'
import { EC, hasSameElForm } from './syndrome.ts'

/** Vector offsets from VBAR_ELx by kind; plus 0x200 from the same level on SP_ELx, 0x400 from a lower one. */
export const Vector = { synchronous: 0x000, irq: 0x080, fiq: 0x100, sError: 0x180 } as const

/** PSTATE as an SPSR value. */
export function savedProgramStatus(cpu: Cpu): number {
  const { i32 } = cpu.state
  const ssIl = i32[Off.ssIl >> 2]!
  const el = i32[Off.el >> 2]!
  return (
    ((cpu.state.nzcv() << 28) |
      (ssIl & SsIl.SS ? SPSR.SS : 0) |
      (ssIl & SsIl.IL ? SPSR.IL : 0) |
      cpu.state.daif |
      (el << 2) |
      i32[Off.spSel >> 2]!) >>>
    0
  )
}

/** AArch64.TakeException: enter `target` at `vector` with `returnAddress` in ELR. */
export function enterException(cpu: Cpu, target: number, vector: number, returnAddress: bigint): void {
  const { i32 } = cpu.state
  const el = i32[Off.el >> 2]!
  const offset = vector + (target > el ? 0x400 : i32[Off.spSel >> 2] ? 0x200 : 0)
  const two = target === 2
  cpu.setReg(two ? Slot.SPSR_EL2 : Slot.SPSR_EL1, BigInt(savedProgramStatus(cpu)))
  cpu.setReg(two ? Slot.ELR_EL2 : Slot.ELR_EL1, returnAddress)
  enterLevel(cpu, target, 1)
  cpu.state.daif = DAIF.all
  i32[Off.ssIl >> 2] = 0
  cpu.state.pc = BigInt.asUintN(64, cpu.reg(two ? Slot.VBAR_EL2 : Slot.VBAR_EL1) + BigInt(offset))
  cpu.updateMode()
  cpu.observer?.exceptionTaken(el, target, vector, returnAddress)
}

/** Where a synchronous exception goes. */
export function synchronousTarget(cpu: Cpu, e: GuestException): number {
  const el = cpu.state.el
  if (el === 2 || e.target === Target.el2) return 2
  if (el === 0 && cpu.low(Slot.HCR_EL2) & HCR.TGE) return 2
  if (isDebug(e.ec)) return debugTargetEl(cpu.state.u32)
  return 1
}

function isDebug(ec: number): boolean {
  return ec === EC.brk64 || ec === EC.breakpoint || ec === EC.softwareStep || ec === EC.watchpoint
}

/** Enter the handler of what an instruction threw. @throws what is not a GuestException or a BusError. */
export function takeSynchronous(cpu: Cpu, thrown: unknown): void {
  let e: GuestException
  if (thrown instanceof GuestException) e = thrown
  else if (thrown instanceof BusError) e = cpu.mmu.externalAbort()
  else throw thrown
  const state = cpu.state
  const target = synchronousTarget(cpu, e)
  const two = target === 2
  const ec = hasSameElForm(e.ec) && target === state.el ? e.ec + 1 : e.ec
  cpu.setReg(two ? Slot.ESR_EL2 : Slot.ESR_EL1, BigInt(((ec << 26) | (1 << 25) | e.iss) >>> 0))
  if (e.far !== undefined) cpu.setReg(two ? Slot.FAR_EL2 : Slot.FAR_EL1, e.far)
  if (two && e.ipa >= 0) cpu.setReg(Slot.HPFAR_EL2, BigInt(Math.floor(e.ipa / 4096)) << 4n)
  // An instruction that completed (SVC, HVC) used up its single step.
  if (e.returnOffset !== 0) state.i32[Off.ssIl >> 2]! &= ~SsIl.SS
  enterException(cpu, target, Vector.synchronous, BigInt.asUintN(64, state.pc + BigInt(e.returnOffset)))
}

/**
 * ERET from EL1 or EL2. An illegal return (Arm ARM D1.11.2: to a higher level, AArch32, EL3, a reserved mode, EL1 under
 * HCR_EL2.TGE) keeps the level and sets PSTATE.IL.
 */
export function exceptionReturn(cpu: Cpu): void {
  const state = cpu.state
  const { i32, u32 } = state
  const el = i32[Off.el >> 2]!
  const spsr = cpu.low(el === 2 ? Slot.SPSR_EL2 : Slot.SPSR_EL1)
  const elr = cpu.reg(el === 2 ? Slot.ELR_EL2 : Slot.ELR_EL1)
  const target = (spsr >>> 2) & 3
  const illegal =
    (spsr & 0x10) !== 0 ||
    (spsr & 2) !== 0 ||
    target > el ||
    (target === 0 && (spsr & 1) !== 0) ||
    (target === 1 && (cpu.low(Slot.HCR_EL2) & HCR.TGE) !== 0)
  const daif = spsr & DAIF.all
  let ssIl = spsr & SPSR.IL ? SsIl.IL : 0
  // DebugExceptionReturnSS: stepping starts only on the way from where it is disabled to where it is enabled.
  if (
    u32[(cpu.slotWord(Slot.MDSCR_EL1))]! & MDSCR.SS &&
    spsr & SPSR.SS &&
    !debugEnabledFrom(u32, el, (state.daif & DAIF.D) !== 0) &&
    debugEnabledFrom(u32, illegal ? el : target, (daif & DAIF.D) !== 0)
  ) {
    ssIl |= SsIl.SS
  }
  if (illegal) ssIl |= SsIl.IL
  else enterLevel(cpu, target, spsr & 1)
  i32[Off.ssIl >> 2] = ssIl
  state.daif = daif
  state.setNzcv(spsr >>> 28)
  state.pc = cpu.branchAddress(elr)
  i32[Off.exclusiveBytes >> 2] = 0
  i32[cpu.slotWord(Slot.EVENTS)]! |= 1
  cpu.updateMode()
  cpu.observer?.exceptionReturned(el, i32[Off.el >> 2]!)
}
