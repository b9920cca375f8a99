import type { Cpu } from './cpu.ts'
import { DAIF, HCR, Line } from './control-bits.ts'
import { enterException, Vector } from './exception-entry.ts'
import { Slot } from './register-slots.ts'
import { Off } from './state.ts'
import { EC } from './syndrome.ts'

/** Virtual interrupt lines that HCR_EL2 lets through: the GIC's or VI/VF, when the class is routed to EL2. */
function virtualLines(hcr: number, lines: number): number {
  let v = 0
  if (hcr & HCR.TGE) return 0
  if (hcr & HCR.IMO && (lines & Line.virq || hcr & HCR.VI)) v |= Line.virq
  if (hcr & HCR.FMO && (lines & Line.vfiq || hcr & HCR.VF)) v |= Line.vfiq
  return v
}

/** Recompute Off.irqPending: some interrupt is asserted, masked by PSTATE or not. */
export function updatePending(cpu: Cpu): void {
  const hcr = cpu.low(Slot.HCR_EL2)
  const lines = cpu.low(Slot.LINES)
  const sError = hcr & HCR.VSE && hcr & HCR.AMO && !(hcr & HCR.TGE)
  const pending = (lines & (Line.irq | Line.fiq)) | virtualLines(hcr, lines) | (sError ? 16 : 0)
  cpu.state.i32[Off.irqPending >> 2] = pending
}

/**
 * Take the interrupt with the highest priority that is pending, not masked and not below its target level.
 * Physical interrupts go to EL2 with HCR_EL2.IMO/FMO or TGE, where PSTATE masks them only at EL2; otherwise to EL1, and
 * never from EL2. Virtual ones go to EL1 from EL0 and EL1.
 */
export function takePendingInterrupt(cpu: Cpu): boolean {
  const { i32 } = cpu.state
  const pending = i32[Off.irqPending >> 2]!
  if (pending === 0) return false
  const el = cpu.state.el
  const daif = cpu.state.daif
  const hcr = cpu.low(Slot.HCR_EL2)
  const tge = (hcr & HCR.TGE) !== 0
  if (pending & Line.fiq && physicalTaken(el, (hcr & HCR.FMO) !== 0 || tge, (daif & DAIF.F) !== 0)) {
    return enter(cpu, el === 2 || hcr & HCR.FMO || tge ? 2 : 1, Vector.fiq)
  }
  if (pending & Line.irq && physicalTaken(el, (hcr & HCR.IMO) !== 0 || tge, (daif & DAIF.I) !== 0)) {
    return enter(cpu, el === 2 || hcr & HCR.IMO || tge ? 2 : 1, Vector.irq)
  }
  if (el === 2) return false
  if (pending & 16 && !(daif & DAIF.A)) {
    cpu.setReg(Slot.HCR_EL2, cpu.reg(Slot.HCR_EL2) & ~BigInt(HCR.VSE))
    updatePending(cpu)
    cpu.setReg(Slot.ESR_EL1, BigInt(((EC.sError << 26) | (1 << 25)) >>> 0))
    return enter(cpu, 1, Vector.sError)
  }
  if (pending & Line.vfiq && !(daif & DAIF.F)) return enter(cpu, 1, Vector.fiq)
  if (pending & Line.virq && !(daif & DAIF.I)) return enter(cpu, 1, Vector.irq)
  return false
}

function physicalTaken(el: number, toEl2: boolean, masked: boolean): boolean {
  if (toEl2) return el < 2 || !masked
  return el < 2 && !masked
}

function enter(cpu: Cpu, target: number, vector: number): true {
  enterException(cpu, target, vector, cpu.state.pc)
  return true
}

/** ISR_EL1: A, I, F in bits 8:6; at EL1 the virtual ones where the class is routed to EL2. */
export function interruptStatus(cpu: Cpu, el: number): number {
  const hcr = cpu.low(Slot.HCR_EL2)
  const lines = cpu.low(Slot.LINES)
  const v = virtualLines(hcr, lines)
  const virtual = el === 1
  const irq = virtual && hcr & HCR.IMO ? v & Line.virq : lines & Line.irq
  const fiq = virtual && hcr & HCR.FMO ? v & Line.vfiq : lines & Line.fiq
  const sError = virtual && hcr & HCR.AMO ? hcr & HCR.VSE : 0
  return (sError ? DAIF.A : 0) | (irq ? DAIF.I : 0) | (fiq ? DAIF.F : 0)
}

/** Would a WFI complete at once? Any interrupt that could wake the processor, masked by PSTATE or not. */
export function wakesFromWfi(cpu: Cpu): boolean {
  const pending = cpu.state.i32[Off.irqPending >> 2]!
  // Virtual interrupts wake only EL0 and EL1.
  return (cpu.state.el === 2 ? pending & (Line.irq | Line.fiq) : pending) !== 0
}
