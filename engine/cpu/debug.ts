import type { Cpu } from './cpu.ts'
import { DAIF, MDSCR, SsIl } from './control-bits.ts'
import { GuestException } from './exception.ts'
import { debugEnabledFrom } from './exception-level.ts'
import { BREAKPOINTS, WATCHPOINTS } from './id-registers.ts'
import { Slot } from './register-slots.ts'
import { Off } from './state.ts'
import { AbortIss, EC, FaultStatus } from './syndrome.ts'

function enabledHere(cpu: Cpu): boolean {
  return debugEnabledFrom(cpu.state.u32, cpu.state.el, (cpu.state.daif & DAIF.D) !== 0)
}

function anyBreakpoint(cpu: Cpu): boolean {
  if (!(cpu.low(Slot.MDSCR_EL1) & MDSCR.MDE)) return false
  for (let n = 0; n < BREAKPOINTS; n++) if (cpu.low(Slot.DBGBCR0_EL1 + n) & 1) return true
  return false
}

function anyWatchpoint(cpu: Cpu): boolean {
  if (!(cpu.low(Slot.MDSCR_EL1) & MDSCR.MDE)) return false
  for (let n = 0; n < WATCHPOINTS; n++) if (cpu.low(Slot.DBGWCR0_EL1 + n) & 1) return true
  return false
}

/**
 * Could a step, breakpoint or watchpoint exception arise at the current level? PSTATE.D is left out, so that unmasking
 * it needs no change of mode.
 */
export function debugActive(cpu: Cpu): boolean {
  if (!debugEnabledFrom(cpu.state.u32, cpu.state.el, false)) return false
  return (cpu.low(Slot.MDSCR_EL1) & MDSCR.SS) !== 0 || anyBreakpoint(cpu) || anyWatchpoint(cpu)
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

/**
 * Watchpoint exceptions (Arm ARM D2.10) of an access that has passed translation.
 * @param el level whose permissions the access has: EL0 for LDTR and STTR at EL1.
 */
export function checkWatchpoints(cpu: Cpu, va: bigint, bytes: number, write: boolean, el: number): void {
  if (!anyWatchpoint(cpu) || !enabledHere(cpu)) return
  for (let n = 0; n < WATCHPOINTS; n++) {
    const control = cpu.low(Slot.DBGWCR0_EL1 + n)
    // LSC: bit 3 loads, bit 4 stores.
    if (!(control & 1) || !(control & (write ? 16 : 8)) || !levelMatches(el, control)) continue
    if (control & (1 << 20) && !contextMatches(cpu, (control >>> 16) & 15)) continue
    const hit = watched(cpu.reg(Slot.DBGWVR0_EL1 + n), control, va, bytes)
    if (hit < 0) continue
    const iss = FaultStatus.debug | (write ? AbortIss.wnr : 0)
    throw new GuestException(EC.watchpoint, iss, 0, BigInt.asUintN(64, va + BigInt(hit)))
  }
}

/** Offset from `va` of the first watched byte of the access, or -1. */
function watched(value: bigint, control: number, va: bigint, bytes: number): number {
  const mask = BigInt((control >>> 24) & 31)
  const byteSelect = (control >>> 5) & 0xff
  for (let i = 0; i < bytes; i++) {
    const difference = BigInt.asUintN(53, (va + BigInt(i)) ^ value)
    if (mask !== 0n) {
      // MASK: the low bits are not compared, byte selection does not apply.
      if (difference >> mask === 0n) return i
    } else if (difference >> 3n === 0n) {
      // With bit 2 of DBGWVR set, BAS selects among the four bytes from there.
      const byte = Number((va + BigInt(i)) & 7n) - Number(value & 4n)
      if (byte >= 0 && byteSelect & (1 << byte) && (!(value & 4n) || byte < 4)) return i
    }
  }
  return -1
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
