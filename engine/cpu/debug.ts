import type { Cpu } from './cpu.ts'
import { DAIF, MDSCR, SsIl } from './control-bits.ts'
import { GuestException } from './exception.ts'
import { debugEnabledFrom } from './exception-level.ts'
import { BREAKPOINTS } from './id-registers.ts'
import { Slot } from './register-slots.ts'
import { Off } from './state.ts'
import { EC, FaultStatus } from './syndrome.ts'

function enabledHere(cpu: Cpu): boolean {
  return debugEnabledFrom(cpu.state.u32, cpu.state.el, (cpu.state.daif & DAIF.D) !== 0)
}

function anyBreakpoint(cpu: Cpu): boolean {
  if (!(cpu.low(Slot.MDSCR_EL1) & MDSCR.MDE)) return false
  for (let n = 0; n < BREAKPOINTS; n++) if (cpu.low(Slot.DBGBCR0_EL1 + n) & 1) return true
  return false
}

/**
 * Could a step or breakpoint exception arise at the current level? PSTATE.D is left out, so that unmasking it needs no
 * change of mode.
 */
export function debugActive(cpu: Cpu): boolean {
  if (!debugEnabledFrom(cpu.state.u32, cpu.state.el, false)) return false
  return (cpu.low(Slot.MDSCR_EL1) & MDSCR.SS) !== 0 || anyBreakpoint(cpu)
}

/** Software step (Arm ARM D2.12) and breakpoint (D2.9) exceptions that come before the instruction at the PC. */
export function checkDebugBefore(cpu: Cpu): void {
  if (!enabledHere(cpu)) return
  if (cpu.low(Slot.MDSCR_EL1) & MDSCR.SS && !(cpu.state.i32[Off.ssIl >> 2]! & SsIl.SS)) {
    // Active-pending. ISS: ISV = 1 (bit 24), EX = 0: an exclusive load is not told apart.
    throw new GuestException(EC.softwareStep, (1 << 24) | FaultStatus.debug)
  }
  if (anyBreakpoint(cpu)) {
    for (let n = 0; n < BREAKPOINTS; n++) {
      if (matches(cpu, n)) throw new GuestException(EC.breakpoint, FaultStatus.debug)
    }
  }
}

/** After an instruction that completed without an exception in the active-not-pending state. */
export function stepAfter(cpu: Cpu): void {
  if (cpu.low(Slot.MDSCR_EL1) & MDSCR.SS && enabledHere(cpu)) cpu.state.i32[Off.ssIl >> 2]! &= ~SsIl.SS
}

/** Unlinked and linked instruction address breakpoints (BT = 0b000x); context matching never fires alone here. */
function matches(cpu: Cpu, n: number): boolean {
  const control = cpu.low(Slot.DBGBCR0_EL1 + n)
  if (!(control & 1) || !levelMatches(cpu.state.el, control)) return false
  const type = (control >>> 20) & 15
  if (type > 1) return false
  if (type === 1 && !contextMatches(cpu, (control >>> 16) & 15)) return false
  // Bits 52:2 are compared; the bits above only tell the halves of the address space apart.
  return BigInt.asUintN(53, cpu.reg(Slot.DBGBVR0_EL1 + n) ^ cpu.state.pc) >> 2n === 0n
}

/** A linked context breakpoint: BT = 0b0011 compares CONTEXTIDR_EL1. */
function contextMatches(cpu: Cpu, n: number): boolean {
  if (n >= BREAKPOINTS || n < BREAKPOINTS - 2) return false
  const control = cpu.low(Slot.DBGBCR0_EL1 + n)
  if (!(control & 1) || ((control >>> 20) & 15) !== 3 || cpu.state.el === 2) return false
  return cpu.low(Slot.DBGBVR0_EL1 + n) === cpu.low(Slot.CONTEXTIDR_EL1)
}

/** HMC, SSC, PAC (Arm ARM table D2-10) without a Secure state. */
function levelMatches(el: number, control: number): boolean {
  const pac = (control >>> 1) & 3
  const hmc = (control >>> 13) & 1
  const ssc = (control >>> 14) & 3
  if (ssc === 2) return false // Secure only
  if (el === 2) return hmc === 1
  if (hmc === 1 && ssc === 3 && pac === 0) return false // EL2 only
  if (el === 1) return (pac & 1) !== 0
  return (pac & 2) !== 0
}
