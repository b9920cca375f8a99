import { DEBUG_REGISTERS } from './registers-debug.ts'
import { EL1_REGISTERS } from './registers-el1.ts'
import { EL2_REGISTERS } from './registers-el2.ts'
import { TIMER_REGISTERS } from './registers-timer.ts'
import { Slot } from './register-slots.ts'
import { SYSREG_BASE } from './state.ts'
import type { SystemRegister } from './system-registers.ts'

/** Every system register that the CPU itself knows. */
export const REGISTERS: readonly SystemRegister[] = [
  ...EL1_REGISTERS,
  ...EL2_REGISTERS,
  ...TIMER_REGISTERS,
  ...DEBUG_REGISTERS,
]

/** Row number + 1 by encoding. */
const byEncoding = new Uint16Array(65536)
for (const [i, r] of REGISTERS.entries()) {
  if (byEncoding[r.encoding] !== 0) throw new Error(`system register ${r.name}: encoding used twice`)
  byEncoding[r.encoding] = i + 1
}

/** The register with this encoding, or undefined. */
export function registerAt(encoding: number): SystemRegister | undefined {
  return REGISTERS[byEncoding[encoding]! - 1]
}

/** Slots whose registers nothing traps at the levels where they exist. */
const DIRECT: ReadonlySet<number> = new Set([
  Slot.TPIDR_EL0, Slot.TPIDRRO_EL0, Slot.TPIDR_EL1, Slot.TPIDR_EL2,
  Slot.ELR_EL1, Slot.ELR_EL2, Slot.SPSR_EL1, Slot.SPSR_EL2, Slot.SP_EL1,
  Slot.ESR_EL2, Slot.FAR_EL2, Slot.HPFAR_EL2, Slot.VBAR_EL1, Slot.VBAR_EL2,
])

/**
 * Where translated code may access a system register itself: the byte offset of its u64 in linear memory, or 0 when the
 * access has to go through Cpu.sysRead/sysWrite (traps, side effects, does not exist here).
 * @param spSel PSTATE.SP of the translation's mode.
 */
export function directRegister(encoding: number, write: boolean, el: number, spSel: boolean): number {
  const r = registerAt(encoding)
  if (r === undefined || r.slot < 0) return 0
  if (el < (write ? r.minElWrite : r.minEl)) return 0
  if (r.slot === Slot.SP_EL0) return el > 0 && spSel ? SYSREG_BASE + 8 * r.slot : 0
  if (!DIRECT.has(r.slot)) return 0
  if (write && r.mask !== 0xffffffffffffffffn) return 0
  return SYSREG_BASE + 8 * r.slot
}
