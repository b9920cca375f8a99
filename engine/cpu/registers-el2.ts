import { MIDR_LAB, MPIDR_LAB } from './id-registers.ts'
import { Slot } from './register-slots.ts'
import { register, type SystemRegister } from './system-registers.ts'

const U32 = 0xffffffffn
/** SCTLR_EL2: M A C SA I WXN; RES1: 4, 5, 11, 16, 18, 22, 23, 28, 29. */
const SCTLR_EL2_MASK = 0x0008100fn
const SCTLR_EL2_RES1 = 0x30c50830n
/** HCR_EL2 of Armv8.0: bits 30:0, CD and ID. RW (31) is RES1 without AArch32; E2H, TEA, MIOCNCE are later. */
const HCR_EL2_MASK = 0x37fffffffn
const HCR_EL2_RW = 0x80000000n

/** Registers of EL2 besides debug and timers. */
export const EL2_REGISTERS: readonly SystemRegister[] = [
  register('VPIDR_EL2', [3, 4, 0, 0, 0], { slot: Slot.VPIDR_EL2, mask: U32, reset: MIDR_LAB }),
  register('VMPIDR_EL2', [3, 4, 0, 0, 5], { slot: Slot.VMPIDR_EL2, reset: MPIDR_LAB }),
  register('SCTLR_EL2', [3, 4, 1, 0, 0], {
    slot: Slot.SCTLR_EL2,
    mask: SCTLR_EL2_MASK,
    res1: SCTLR_EL2_RES1,
    reset: SCTLR_EL2_RES1,
    mode: true,
  }),
  register('ACTLR_EL2', [3, 4, 1, 0, 1], { slot: Slot.ACTLR_EL2, mask: 0n }),
  register('HCR_EL2', [3, 4, 1, 1, 0], {
    slot: Slot.HCR_EL2,
    mask: HCR_EL2_MASK,
    res1: HCR_EL2_RW,
    reset: HCR_EL2_RW,
    mode: true,
  }),
  register('MDCR_EL2', [3, 4, 1, 1, 1], { slot: Slot.MDCR_EL2, mask: 0x00000f00n, mode: true }),
  // TCPAC, TFP; TTA has nothing to trap. RES1: 13, 12, 9:0.
  register('CPTR_EL2', [3, 4, 1, 1, 2], {
    slot: Slot.CPTR_EL2,
    mask: 0x80000400n,
    res1: 0x33ffn,
    reset: 0x33ffn,
    mode: true,
  }),
  // HSTR_EL2 traps AArch32 accesses only: storage.
  register('HSTR_EL2', [3, 4, 1, 1, 3], { slot: Slot.HSTR_EL2, mask: 0xffffn }),
  register('HACR_EL2', [3, 4, 1, 1, 7], { slot: Slot.HACR_EL2, mask: 0n }),
  register('TTBR0_EL2', [3, 4, 2, 0, 0], { slot: Slot.TTBR0_EL2, mask: 0xfffffffffffen }),
  register('TCR_EL2', [3, 4, 2, 0, 2], {
    slot: Slot.TCR_EL2, mask: 0x0017ff3fn, res1: 0x80800000n, reset: 0x80800000n,
  }),
  register('VTTBR_EL2', [3, 4, 2, 1, 0], { slot: Slot.VTTBR_EL2, mask: 0xfffffffffffffen, mode: true }),
  register('VTCR_EL2', [3, 4, 2, 1, 2], { slot: Slot.VTCR_EL2, mask: 0x0007ffffn, res1: 0x80000000n }),
  register('SPSR_EL2', [3, 4, 4, 0, 0], { slot: Slot.SPSR_EL2, mask: U32 }),
  register('ELR_EL2', [3, 4, 4, 0, 1], { slot: Slot.ELR_EL2 }),
  register('SP_EL1', [3, 4, 4, 1, 0], { slot: Slot.SP_EL1 }),
  register('AFSR0_EL2', [3, 4, 5, 1, 0], { slot: Slot.AFSR0_EL2, mask: 0n }),
  register('AFSR1_EL2', [3, 4, 5, 1, 1], { slot: Slot.AFSR1_EL2, mask: 0n }),
  register('ESR_EL2', [3, 4, 5, 2, 0], { slot: Slot.ESR_EL2, mask: U32 }),
  register('FAR_EL2', [3, 4, 6, 0, 0], { slot: Slot.FAR_EL2 }),
  register('HPFAR_EL2', [3, 4, 6, 0, 4], { slot: Slot.HPFAR_EL2, mask: 0xfffffffff0n }),
  register('MAIR_EL2', [3, 4, 10, 2, 0], { slot: Slot.MAIR_EL2 }),
  register('AMAIR_EL2', [3, 4, 10, 3, 0], { slot: Slot.AMAIR_EL2, mask: 0n }),
  register('VBAR_EL2', [3, 4, 12, 0, 0], { slot: Slot.VBAR_EL2, mask: 0xfffffffffffff800n }),
  register('TPIDR_EL2', [3, 4, 13, 0, 2], { slot: Slot.TPIDR_EL2 }),
]
