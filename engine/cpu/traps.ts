import type { Cpu } from './cpu.ts'
import { CPTR, HCR, MDCR, MDSCR, SCTLR } from './control-bits.ts'
import { Target } from './exception.ts'
import { Slot } from './register-slots.ts'

/**
 * Traps of system register accesses. Each is called before the access with the level it is made at, and throws when
 * the access traps or is undefined there.
 */
export type AccessCheck = (cpu: Cpu, write: boolean, el: number) => void

function trapEl1When(bit: number): AccessCheck {
  return (cpu, _write, el) => {
    if (el === 1 && cpu.low(Slot.HCR_EL2) & bit) cpu.trapSystemAccess(Target.el2)
  }
}

/** HCR_EL2.TVM, TRVM: the virtual memory control registers. */
export const virtualMemory: AccessCheck = (cpu, write, el) => {
  if (el === 1 && cpu.low(Slot.HCR_EL2) & (write ? HCR.TVM : HCR.TRVM)) cpu.trapSystemAccess(Target.el2)
}
export const auxiliaryControl = trapEl1When(HCR.TACR)
/** ID groups 1 and 3, HCR_EL2.TID1, TID3. */
export const idGroup1 = trapEl1When(HCR.TID1)
export const idGroup3 = trapEl1When(HCR.TID3)
/** ID group 2 at EL1: CCSIDR, CLIDR, CSSELR. */
export const idGroup2 = trapEl1When(HCR.TID2)

/** CTR_EL0: SCTLR_EL1.UCT, then HCR_EL2.TID2. */
export const cacheType: AccessCheck = (cpu, _write, el) => {
  if (el === 0 && !(cpu.low(Slot.SCTLR_EL1) & SCTLR.UCT)) cpu.trapSystemAccess(Target.usual)
  if (el < 2 && cpu.low(Slot.HCR_EL2) & HCR.TID2) cpu.trapSystemAccess(Target.el2)
}

/** CPACR_EL1: CPTR_EL2.TCPAC. */
export const coprocessorAccess: AccessCheck = (cpu, _write, el) => {
  if (el === 1 && cpu.low(Slot.CPTR_EL2) & CPTR.TCPAC) cpu.trapSystemAccess(Target.el2)
}

/** DAIF at EL0: SCTLR_EL1.UMA. */
export const interruptMasks: AccessCheck = (cpu, _write, el) => {
  if (el === 0 && !(cpu.low(Slot.SCTLR_EL1) & SCTLR.UMA)) cpu.trapSystemAccess(Target.usual)
}

/** FPCR, FPSR. */
export const floatingPoint: AccessCheck = (cpu) => cpu.checkFp()

/** SP_EL0 is undefined while it is the selected stack pointer, and at EL0. */
export const stackPointerEl0: AccessCheck = (cpu, _write, el) => {
  if (el === 0 || !cpu.spSelected()) cpu.undefinedRegister()
}

function debugTrap(bit: number): AccessCheck {
  return (cpu, _write, el) => {
    if (el === 2) return
    const tde = cpu.low(Slot.MDCR_EL2) & MDCR.TDE || cpu.low(Slot.HCR_EL2) & HCR.TGE
    if (tde || cpu.low(Slot.MDCR_EL2) & bit) cpu.trapSystemAccess(Target.el2)
  }
}
export const debugRegister = debugTrap(MDCR.TDA)
export const osDebug = debugTrap(MDCR.TDOSA)
export const debugRom = debugTrap(MDCR.TDRA)
/** MDCCSR_EL0, DBGDTR*_EL0: MDSCR_EL1.TDCC at EL0, then MDCR_EL2.TDA. */
export const debugChannel: AccessCheck = (cpu, write, el) => {
  if (el === 0 && cpu.low(Slot.MDSCR_EL1) & MDSCR.TDCC) cpu.trapSystemAccess(Target.usual)
  debugRegister(cpu, write, el)
}

/** CNTKCTL_EL1 and CNTHCTL_EL2 bits of the physical and the virtual counter and timers. */
function timerTrap(cntkctl: number, cnthctl: number): AccessCheck {
  return (cpu, _write, el) => {
    if (el === 0 && !(cpu.low(Slot.HCR_EL2) & HCR.TGE) && !(cpu.low(Slot.CNTKCTL_EL1) & cntkctl)) {
      cpu.trapSystemAccess(Target.usual)
    }
    if (el < 2 && cnthctl !== 0 && !(cpu.low(Slot.CNTHCTL_EL2) & cnthctl)) cpu.trapSystemAccess(Target.el2)
  }
}
/** EL0PCTEN; EL1PCTEN. */
export const physicalCounter = timerTrap(1 << 0, 1 << 0)
/** EL0VCTEN. */
export const virtualCounter = timerTrap(1 << 1, 0)
/** CNTFRQ_EL0 at EL0: either counter. */
export const counterFrequency = timerTrap(3, 0)
/** EL0PTEN; EL1PCEN. */
export const physicalTimer = timerTrap(1 << 9, 1 << 1)
/** EL0VTEN. */
export const virtualTimer = timerTrap(1 << 8, 0)

/**
 * GIC CPU interface: SGI generation at EL1 traps when HCR_EL2.IMO or FMO is set; ICC_SRE_EL1 traps on
 * ICC_SRE_EL2.Enable = 0; ICH_HCR_EL2 TC, TALL0, TALL1, TDIR trap their groups.
 */
export function checkInterruptController(cpu: Cpu, encoding: number, el: number): void {
  if (el !== 1) return
  switch (encoding) {
    case ICC_SGI1R_EL1:
    case ICC_ASGI1R_EL1:
    case ICC_SGI0R_EL1:
      if (cpu.low(Slot.HCR_EL2) & (HCR.IMO | HCR.FMO)) cpu.trapSystemAccess(Target.el2)
      break
    case ICC_SRE_EL1:
      if (!(cpu.deviceRegister(ICC_SRE_EL2, 2) & 8n)) cpu.trapSystemAccess(Target.el2)
      return
  }
  const ich = Number(cpu.deviceRegister(ICH_HCR_EL2, 2) & 0xffffffffn)
  if ((ich & (ICH_TC | ICH_TALL0 | ICH_TALL1 | ICH_TDIR)) === 0) return
  if (ich & ICH_TC && COMMON.has(encoding)) cpu.trapSystemAccess(Target.el2)
  if (ich & ICH_TDIR && encoding === ICC_DIR_EL1) cpu.trapSystemAccess(Target.el2)
  if (ich & ICH_TALL0 && isGroup0(encoding)) cpu.trapSystemAccess(Target.el2)
  if (ich & ICH_TALL1 && isGroup1(encoding)) cpu.trapSystemAccess(Target.el2)
}

const ICC_PMR_EL1 = 0xc230
const ICC_DIR_EL1 = 0xc659
const ICC_RPR_EL1 = 0xc65b
const ICC_SGI1R_EL1 = 0xc65d
const ICC_ASGI1R_EL1 = 0xc65e
const ICC_SGI0R_EL1 = 0xc65f
const ICC_CTLR_EL1 = 0xc664
const ICC_SRE_EL1 = 0xc665
const ICC_SRE_EL2 = 0xe64d
const ICH_HCR_EL2 = 0xe658
const COMMON = new Set([
  ICC_PMR_EL1, ICC_DIR_EL1, ICC_RPR_EL1, ICC_CTLR_EL1, ICC_SGI1R_EL1, ICC_ASGI1R_EL1, ICC_SGI0R_EL1,
])
const ICH_TC = 1 << 10
const ICH_TALL0 = 1 << 11
const ICH_TALL1 = 1 << 12
const ICH_TDIR = 1 << 14

/** ICC_IAR0, EOIR0, HPPIR0, BPR0, AP0Rn (CRm 8) and IGRPEN0. */
function isGroup0(encoding: number): boolean {
  return (encoding & ~7) === 0xc640 || encoding === 0xc666
}

/** ICC_AP1Rn (CRm 9), IAR1, EOIR1, HPPIR1, BPR1 (CRm 12) and IGRPEN1. */
function isGroup1(encoding: number): boolean {
  return (encoding & ~7) === 0xc648 || (encoding >= 0xc660 && encoding <= 0xc663) || encoding === 0xc667
}
