import { addressTranslate } from '../mmu/address-translate.ts'
import { AtOp, invalidateTlb } from '../mmu/tlb-maintenance.ts'
import type { Cpu } from './cpu.ts'
import { HCR, SCTLR } from './control-bits.ts'
import { sys } from './encoding.ts'
import { Target } from './exception.ts'
import { Slot } from './register-slots.ts'

const IC_IALLUIS = sys(1, 0, 7, 1, 0)
const IC_IALLU = sys(1, 0, 7, 5, 0)
const IC_IVAU = sys(1, 3, 7, 5, 1)
const DC_IVAC = sys(1, 0, 7, 6, 1)
const DC_ISW = sys(1, 0, 7, 6, 2)
const DC_CSW = sys(1, 0, 7, 10, 2)
const DC_CISW = sys(1, 0, 7, 14, 2)
const DC_CVAC = sys(1, 3, 7, 10, 1)
const DC_CVAU = sys(1, 3, 7, 11, 1)
const DC_CIVAC = sys(1, 3, 7, 14, 1)

/** IC, DC (but ZVA), AT and TLBI. Anything else with op0 = 1 is UNDEFINED. */
export function systemOperation(cpu: Cpu, encoding: number, value: bigint): void {
  const el = cpu.state.el
  const crn = (encoding >>> 7) & 15
  if (crn === 8 && el !== 0) {
    if (el === 1 && ((encoding >>> 11) & 7) !== 0) cpu.undefinedRegister()
    if (el === 1 && cpu.low(Slot.HCR_EL2) & HCR.TTLB) cpu.trapSystemAccess(Target.el2)
    if (!invalidateTlb(cpu, encoding, value)) cpu.undefinedRegister()
    return
  }
  if (crn === 7) {
    if (((encoding >>> 3) & 15) === 8) {
      at(cpu, encoding, value, el)
      return
    }
    if (cacheOperation(cpu, encoding, value, el)) return
  }
  if (crn === 11 || crn === 15) cpu.checkImplementationDefined(el)
  cpu.undefinedRegister()
}

function at(cpu: Cpu, encoding: number, value: bigint, el: number): void {
  const op = AtOp.get(encoding)
  if (op === undefined || el === 0 || (el === 1 && op.minEl === 2)) cpu.undefinedRegister()
  const low = Number(value & 0xffffffffn)
  const high = Number(value >> 32n)
  const par = addressTranslate(cpu.mmu.walker, low, high, op.write, op.regimeEl2, op.el0, op.both, el)
  cpu.setReg(Slot.PAR_EL1, par)
}

/** @returns false when the encoding is not allocated or not accessible at this level. */
function cacheOperation(cpu: Cpu, encoding: number, value: bigint, el: number): boolean {
  const hcr = el < 2 ? cpu.low(Slot.HCR_EL2) : 0
  switch (encoding) {
    case IC_IALLU:
    case IC_IALLUIS:
      if (el === 0) return false
      if (hcr & HCR.TPU) cpu.trapSystemAccess(Target.el2)
      cpu.codeCache?.invalidateAll()
      return true
    case DC_ISW:
    case DC_CSW:
    case DC_CISW:
      if (el === 0) return false
      if (hcr & HCR.TSW) cpu.trapSystemAccess(Target.el2)
      return true
    case DC_IVAC:
      if (el === 0) return false
      if (hcr & HCR.TPC) cpu.trapSystemAccess(Target.el2)
      byAddress(cpu, value, 1)
      return true
    case DC_CVAC:
    case DC_CIVAC:
      userCacheOperation(cpu, el)
      if (hcr & HCR.TPC) cpu.trapSystemAccess(Target.el2)
      byAddress(cpu, value, 0)
      return true
    case DC_CVAU:
      userCacheOperation(cpu, el)
      if (hcr & HCR.TPU) cpu.trapSystemAccess(Target.el2)
      byAddress(cpu, value, 0)
      return true
    case IC_IVAU:
      userCacheOperation(cpu, el)
      if (hcr & HCR.TPU) cpu.trapSystemAccess(Target.el2)
      byAddress(cpu, value, 0)
      cpu.codeCache?.invalidateLine(cpu.mmu.physical - (cpu.mmu.physical % 64))
      return true
  }
  return false
}

/** SCTLR_EL1.UCI. */
function userCacheOperation(cpu: Cpu, el: number): void {
  if (el === 0 && !(cpu.low(Slot.SCTLR_EL1) & SCTLR.UCI)) cpu.trapSystemAccess(Target.usual)
}

/** Caches do not exist here; what is left of maintenance by address is its translation and the faults it may take. */
function byAddress(cpu: Cpu, value: bigint, access: 0 | 1): void {
  const mmu = cpu.mmu
  mmu.maintenance = true
  try {
    mmu.translate(Number(value & 0xffffffffn), Number(value >> 32n), access, false)
  } finally {
    mmu.maintenance = false
  }
}
