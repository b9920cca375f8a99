import { SYSREG_BASE } from './state.ts'

/**
 * Where each system register that is plain storage lives: slot n is the u64 at SYSREG_BASE + 8n of the linear memory.
 * Slot numbers are part of the snapshot format: add at the end, never renumber.
 */
export const Slot = {
  SP_EL0: 0,
  SP_EL1: 1,
  SP_EL2: 2,
  ELR_EL1: 3,
  ELR_EL2: 4,
  SPSR_EL1: 5,
  SPSR_EL2: 6,
  SCTLR_EL1: 7,
  SCTLR_EL2: 8,
  TTBR0_EL1: 9,
  TTBR1_EL1: 10,
  TCR_EL1: 11,
  MAIR_EL1: 12,
  AMAIR_EL1: 13,
  TTBR0_EL2: 14,
  TCR_EL2: 15,
  MAIR_EL2: 16,
  AMAIR_EL2: 17,
  VTTBR_EL2: 18,
  VTCR_EL2: 19,
  HCR_EL2: 20,
  CPACR_EL1: 21,
  CPTR_EL2: 22,
  MDCR_EL2: 23,
  HSTR_EL2: 24,
  VBAR_EL1: 25,
  VBAR_EL2: 26,
  ESR_EL1: 27,
  ESR_EL2: 28,
  FAR_EL1: 29,
  FAR_EL2: 30,
  HPFAR_EL2: 31,
  AFSR0_EL1: 32,
  AFSR1_EL1: 33,
  AFSR0_EL2: 34,
  AFSR1_EL2: 35,
  CONTEXTIDR_EL1: 36,
  TPIDR_EL0: 37,
  TPIDRRO_EL0: 38,
  TPIDR_EL1: 39,
  TPIDR_EL2: 40,
  PAR_EL1: 41,
  CSSELR_EL1: 42,
  VPIDR_EL2: 43,
  VMPIDR_EL2: 44,
  CNTKCTL_EL1: 45,
  CNTHCTL_EL2: 46,
  MDSCR_EL1: 47,
  MDCCINT_EL1: 48,
  OSDTRRX_EL1: 49,
  OSDTRTX_EL1: 50,
  OSECCR_EL1: 51,
  /** Bit 0: the OS lock (OSLSR_EL1.OSLK). */
  OS_LOCK: 52,
  OSDLR_EL1: 53,
  DBGPRCR_EL1: 54,
  DBGCLAIM_EL1: 55,
  ACTLR_EL1: 56,
  ACTLR_EL2: 57,
  HACR_EL2: 58,
  /** Internal: bit 0 the WFE event register, bit 1 waiting in WFI. */
  EVENTS: 59,
  /** Internal: interrupt lines, bit 0 IRQ, 1 FIQ, 2 vIRQ, 3 vFIQ. */
  LINES: 60,
  DBGBVR0_EL1: 64,
  DBGBCR0_EL1: 80,
  DBGWVR0_EL1: 96,
  DBGWCR0_EL1: 112,
} as const

/** Index of the low half of a slot in a Uint32Array or Int32Array over the linear memory. */
export function lowWord(slot: number): number {
  return (SYSREG_BASE >> 2) + slot * 2
}
