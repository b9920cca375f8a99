import type { Cpu } from './cpu.ts'
import { CPTR, HCR, MDCR, MDSCR, SCTLR } from './control-bits.ts'
import { lowWord, Slot } from './register-slots.ts'
import { ModeBit, Off } from './state.ts'
import { stage1On, stage2On } from '../mmu/walk.ts'

const HCR_EL2 = lowWord(Slot.HCR_EL2)
const SCTLR_EL1 = lowWord(Slot.SCTLR_EL1)
const SCTLR_EL2 = lowWord(Slot.SCTLR_EL2)
const TCR_EL1 = lowWord(Slot.TCR_EL1)
const TTBR0_EL1 = lowWord(Slot.TTBR0_EL1)
const TTBR1_EL1 = lowWord(Slot.TTBR1_EL1)
const VTTBR_EL2 = lowWord(Slot.VTTBR_EL2)
const CPACR_EL1 = lowWord(Slot.CPACR_EL1)
const CPTR_EL2 = lowWord(Slot.CPTR_EL2)
const MDSCR_EL1 = lowWord(Slot.MDSCR_EL1)
const MDCR_EL2 = lowWord(Slot.MDCR_EL2)
const OS_LOCK = lowWord(Slot.OS_LOCK)
const OSDLR_EL1 = lowWord(Slot.OSDLR_EL1)

/** Put the current stack pointer back into its bank: SP_ELx with SPSel, else SP_EL0. */
export function bankStackPointer(cpu: Cpu): void {
  const { i32, u64 } = cpu.state
  cpu.setReg(i32[Off.spSel >> 2] ? Slot.SP_EL0 + i32[Off.el >> 2]! : Slot.SP_EL0, u64[Off.sp >> 3]!)
}

/** Set PSTATE.EL and PSTATE.SP, banking the stack pointer. The caller calls updateMode. */
export function enterLevel(cpu: Cpu, el: number, spSel: number): void {
  const { i32, u64 } = cpu.state
  bankStackPointer(cpu)
  i32[Off.el >> 2] = el
  i32[Off.spSel >> 2] = el === 0 ? 0 : spSel
  u64[Off.sp >> 3] = cpu.reg(spSel && el !== 0 ? Slot.SP_EL0 + el : Slot.SP_EL0)
}

/** TTBRx_EL1.ASID of the register TCR_EL1.A1 names, 8 bits unless TCR_EL1.AS. */
export function currentAsid(u32: Uint32Array): number {
  const ttbrHigh = u32[(u32[TCR_EL1]! & (1 << 22) ? TTBR1_EL1 : TTBR0_EL1) + 1]!
  const asid = ttbrHigh >>> 16
  return u32[TCR_EL1 + 1]! & 0x10 ? asid : asid & 0xff
}

/** VTTBR_EL2.VMID. */
export function currentVmid(u32: Uint32Array): number {
  return (u32[VTTBR_EL2 + 1]! >>> 16) & 0xff
}

/** Level that debug exceptions are taken to. */
export function debugTargetEl(u32: Uint32Array): number {
  return u32[MDCR_EL2]! & MDCR.TDE || u32[HCR_EL2]! & HCR.TGE ? 2 : 1
}

/** AArch64.GenerateDebugExceptionsFrom(el, mask): are debug exceptions enabled at `el` with PSTATE.D = `masked`? */
export function debugEnabledFrom(u32: Uint32Array, el: number, masked: boolean): boolean {
  if (u32[OS_LOCK]! & 1 || u32[OSDLR_EL1]! & 1) return false
  const target = debugTargetEl(u32)
  if (el < target) return true
  return el === target && (u32[MDSCR_EL1]! & MDSCR.KDE) !== 0 && !masked
}

/** CheckFPAdvSIMDEnabled: 0 when FP is accessible at `el`, else the level the access traps to. */
export function fpTrapLevel(u32: Uint32Array, el: number): number {
  if (el < 2) {
    const fpen = (u32[CPACR_EL1]! >>> 20) & 3
    const enabled = fpen === 3 || (fpen === 1 && el === 1)
    if (!enabled && !(el === 0 && u32[HCR_EL2]! & HCR.TGE)) return 1
  }
  return u32[CPTR_EL2]! & CPTR.TFP ? 2 : 0
}

/** Contexts last handed to each level, valid for one generation of the numbers and one set of keys. */
export interface ContextMemo {
  generation: number
  asid: number
  vmid: number
  stages: number
  el0: number
  el1: number
  el2Generation: number
  el2Stage1: number
  el2: number
}

export function newContextMemo(): ContextMemo {
  return { generation: -1, asid: 0, vmid: 0, stages: 0, el0: 0, el1: 0, el2Generation: -1, el2Stage1: -1, el2: 0 }
}

/** What Cpu.updateMode does: contexts, translation mode and jump-cache key from the control registers and PSTATE. */
export function computeMode(cpu: Cpu, memo: ContextMemo): void {
  const { i32, u32 } = cpu.state
  const el = i32[Off.el >> 2]!
  const contexts = cpu.contexts
  const hcr = u32[HCR_EL2]!
  let context: number
  let unprivileged: number
  let sctlr: number
  let stage1: boolean
  if (el === 2) {
    sctlr = u32[SCTLR_EL2]!
    stage1 = (sctlr & 1) !== 0
    if (memo.el2Generation !== contexts.generation || memo.el2Stage1 !== (sctlr & 1)) {
      memo.el2 = contexts.el2(stage1)
      memo.el2Stage1 = sctlr & 1
      memo.el2Generation = contexts.generation
    }
    context = unprivileged = memo.el2
  } else {
    sctlr = u32[SCTLR_EL1]!
    stage1 = stage1On(sctlr, hcr)
    const stage2 = stage2On(hcr)
    const asid = currentAsid(u32)
    const vmid = currentVmid(u32)
    const stages = (stage1 ? 2 : 0) | (stage2 ? 4 : 0)
    if (
      memo.generation !== contexts.generation ||
      memo.asid !== asid ||
      memo.vmid !== vmid ||
      memo.stages !== stages
    ) {
      do {
        memo.generation = contexts.generation
        memo.el0 = contexts.el10(true, asid, vmid, stage1, stage2)
        memo.el1 = contexts.el10(false, asid, vmid, stage1, stage2)
      } while (memo.generation !== contexts.generation)
      memo.asid = asid
      memo.vmid = vmid
      memo.stages = stages
    }
    context = el === 0 ? memo.el0 : memo.el1
    unprivileged = memo.el0
  }
  let mode = el
  if (i32[Off.spSel >> 2]) mode |= ModeBit.spSel
  if (!cpu.hasFp || fpTrapLevel(u32, el) !== 0) mode |= ModeBit.fpTrap
  // With HCR_EL2.DC, stage 1 is off and yet memory is Normal.
  const normal = stage1 || (el < 2 && (hcr & HCR.DC) !== 0)
  if (!normal || sctlr & SCTLR.A) mode |= ModeBit.alignCheck
  if (sctlr & (el === 0 ? SCTLR.SA0 : SCTLR.SA)) mode |= ModeBit.spAlignCheck
  if (i32[Off.ssIl >> 2]! & 2 || (u32[MDSCR_EL1]! & (MDSCR.SS | MDSCR.MDE) && cpu.debugActive())) {
    mode |= ModeBit.tier0Only
  }
  i32[Off.context >> 2] = context
  i32[Off.contextUnprivileged >> 2] = unprivileged
  i32[Off.codeKey >> 2] = (context << 8) | mode
}
