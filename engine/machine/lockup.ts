import type { Cpu } from '../cpu/cpu.ts'
import { DAIF, HCR } from '../cpu/control-bits.ts'
import { Slot } from '../cpu/register-slots.ts'
import { EC } from '../cpu/syndrome.ts'

/** From VBAR_ELx to the handler of a synchronous exception of the same level, on SP_EL0 and on SP_ELx (Arm ARM D1.3.1). */
const OWN_HANDLERS: readonly bigint[] = [0x000n, 0x200n]

/**
 * Does the processor take an exception at the very instruction where the handler of that exception begins? Then it takes
 * it again and again, with everything masked, and nothing else happens until reset. Ask between slices.
 * @returns what is so, one sentence for the learner, or null
 */
export function lockup(cpu: Cpu): string | null {
  const { el, pc, daif } = cpu.state
  if (el === 0 || daif !== DAIF.all) return null
  // Interrupts that EL2 takes are not masked at EL1: they end it.
  if (el === 1 && (cpu.low(Slot.HCR_EL2) & (HCR.IMO | HCR.FMO | HCR.AMO)) !== 0) return null
  const two = el === 2
  const base = cpu.reg(two ? Slot.VBAR_EL2 : Slot.VBAR_EL1)
  if (pc !== cpu.reg(two ? Slot.ELR_EL2 : Slot.ELR_EL1) || !OWN_HANDLERS.includes(BigInt.asUintN(64, pc - base))) return null
  const ec = Number(cpu.reg(two ? Slot.ESR_EL2 : Slot.ESR_EL1) & 0xffff_ffffn) >>> 26
  const name = `VBAR_EL${el}`
  return `EL${el} takes an exception for ever: ${name} is 0x${base.toString(16)}, and ${why(ec)} where its handler should begin, at 0x${pc.toString(16)}`
}

function why(ec: number): string {
  if (ec === EC.instructionAbort + 1) return 'no instruction can be fetched'
  return ec === 0 ? 'there is no instruction' : 'the instruction causes another exception'
}
