import { DAIF } from './control-bits.ts'
import { ccsidr, CLIDR_LAB, CTR_LAB, MPIDR_LAB } from './id-registers.ts'
import { Slot } from './register-slots.ts'
import { Off } from './state.ts'
import { register, type SystemRegister } from './system-registers.ts'
import * as trap from './traps.ts'

const U32 = 0xffffffffn
/** SCTLR_EL1 of Armv8.0 without AArch32 and mixed endianness; RES1: 7, 8, 11, 20, 22, 23, 28, 29. */
const SCTLR_EL1_MASK = 0x040dd21fn
const SCTLR_EL1_RES1 = 0x30d00980n
/** FPCR: AHP, DN, FZ, RMode. FPSR: QC and the cumulative flags. */
const FPCR_MASK = 0x07c00000
const FPSR_MASK = 0x0800009f

/** Registers of EL0 and EL1 besides ID, debug and timer registers. */
export const EL1_REGISTERS: readonly SystemRegister[] = [
  register('MIDR_EL1', [3, 0, 0, 0, 0], {
    access: 'RO',
    read: (cpu, el) => (el === 1 ? cpu.reg(Slot.VPIDR_EL2) : cpu.id.midr),
  }),
  register('MPIDR_EL1', [3, 0, 0, 0, 5], {
    access: 'RO',
    read: (cpu, el) => (el === 1 ? cpu.reg(Slot.VMPIDR_EL2) : MPIDR_LAB),
  }),
  register('REVIDR_EL1', [3, 0, 0, 0, 6], { access: 'RO', read: () => 0n, check: trap.idGroup1 }),
  register('AIDR_EL1', [3, 1, 0, 0, 7], { access: 'RO', read: () => 0n, check: trap.idGroup1 }),
  register('CCSIDR_EL1', [3, 1, 0, 0, 0], {
    access: 'RO',
    read: (cpu) => ccsidr(cpu.low(Slot.CSSELR_EL1)),
    check: trap.idGroup2,
  }),
  register('CLIDR_EL1', [3, 1, 0, 0, 1], { access: 'RO', read: () => CLIDR_LAB, check: trap.idGroup2 }),
  register('CSSELR_EL1', [3, 2, 0, 0, 0], { slot: Slot.CSSELR_EL1, mask: 15n, check: trap.idGroup2 }),
  register('CTR_EL0', [3, 3, 0, 0, 1], { access: 'RO', read: () => CTR_LAB, check: trap.cacheType }),
  register('DCZID_EL0', [3, 3, 0, 0, 7], { access: 'RO', read: (cpu) => cpu.readDczid() }),

  register('SCTLR_EL1', [3, 0, 1, 0, 0], {
    slot: Slot.SCTLR_EL1,
    mask: SCTLR_EL1_MASK,
    res1: SCTLR_EL1_RES1,
    reset: SCTLR_EL1_RES1,
    check: trap.virtualMemory,
    mode: true,
  }),
  register('ACTLR_EL1', [3, 0, 1, 0, 1], { slot: Slot.ACTLR_EL1, mask: 0n, check: trap.auxiliaryControl }),
  register('CPACR_EL1', [3, 0, 1, 0, 2], {
    slot: Slot.CPACR_EL1,
    mask: 0x00300000n,
    check: trap.coprocessorAccess,
    mode: true,
  }),
  register('TTBR0_EL1', [3, 0, 2, 0, 0], { slot: Slot.TTBR0_EL1, check: trap.virtualMemory, mode: true }),
  register('TTBR1_EL1', [3, 0, 2, 0, 1], { slot: Slot.TTBR1_EL1, check: trap.virtualMemory, mode: true }),
  // Through TBI1; the hierarchical-permission and hardware-update bits are not implemented.
  register('TCR_EL1', [3, 0, 2, 0, 2], {
    slot: Slot.TCR_EL1,
    mask: 0x77ffffffbfn,
    check: trap.virtualMemory,
    mode: true,
  }),
  register('AFSR0_EL1', [3, 0, 5, 1, 0], { slot: Slot.AFSR0_EL1, mask: 0n, check: trap.virtualMemory }),
  register('AFSR1_EL1', [3, 0, 5, 1, 1], { slot: Slot.AFSR1_EL1, mask: 0n, check: trap.virtualMemory }),
  register('ESR_EL1', [3, 0, 5, 2, 0], { slot: Slot.ESR_EL1, mask: U32, check: trap.virtualMemory }),
  register('FAR_EL1', [3, 0, 6, 0, 0], { slot: Slot.FAR_EL1, check: trap.virtualMemory }),
  register('PAR_EL1', [3, 0, 7, 4, 0], { slot: Slot.PAR_EL1 }),
  register('MAIR_EL1', [3, 0, 10, 2, 0], { slot: Slot.MAIR_EL1, check: trap.virtualMemory }),
  register('AMAIR_EL1', [3, 0, 10, 3, 0], { slot: Slot.AMAIR_EL1, mask: 0n, check: trap.virtualMemory }),
  register('VBAR_EL1', [3, 0, 12, 0, 0], { slot: Slot.VBAR_EL1, mask: ~0x7ffn & 0xffffffffffffffffn }),
  register('RVBAR_EL2', [3, 4, 12, 0, 1], { access: 'RO', read: (cpu) => cpu.resetAddress }),
  register('ISR_EL1', [3, 0, 12, 1, 0], { access: 'RO', read: (cpu, el) => BigInt(cpu.interruptStatus(el)) }),
  register('CONTEXTIDR_EL1', [3, 0, 13, 0, 1], { slot: Slot.CONTEXTIDR_EL1, mask: U32, check: trap.virtualMemory }),
  register('TPIDR_EL1', [3, 0, 13, 0, 4], { slot: Slot.TPIDR_EL1 }),
  register('TPIDR_EL0', [3, 3, 13, 0, 2], { slot: Slot.TPIDR_EL0 }),
  register('TPIDRRO_EL0', [3, 3, 13, 0, 3], { slot: Slot.TPIDRRO_EL0, minElWrite: 1 }),

  register('SPSR_EL1', [3, 0, 4, 0, 0], { slot: Slot.SPSR_EL1, mask: U32 }),
  register('ELR_EL1', [3, 0, 4, 0, 1], { slot: Slot.ELR_EL1 }),
  register('SP_EL0', [3, 0, 4, 1, 0], { slot: Slot.SP_EL0, check: trap.stackPointerEl0 }),
  register('SPSel', [3, 0, 4, 2, 0], {
    mask: 1n,
    read: (cpu) => (cpu.spSelected() ? 1n : 0n),
    write: (cpu, v) => cpu.setSpSel(Number(v & 1n)),
  }),
  register('CurrentEL', [3, 0, 4, 2, 2], { access: 'RO', read: (_cpu, el) => BigInt(el << 2) }),
  register('NZCV', [3, 3, 4, 2, 0], {
    read: (cpu) => BigInt(cpu.state.nzcv()) << 28n,
    write: (cpu, v) => cpu.state.setNzcv(Number((v >> 28n) & 15n)),
  }),
  register('DAIF', [3, 3, 4, 2, 1], {
    check: trap.interruptMasks,
    read: (cpu) => BigInt(cpu.state.daif),
    write: (cpu, v) => {
      cpu.state.daif = Number(v & BigInt(DAIF.all))
    },
  }),
  register('FPCR', [3, 3, 4, 4, 0], {
    check: trap.floatingPoint,
    read: (cpu) => BigInt(cpu.state.u32[Off.fpcr >> 2]!),
    write: (cpu, v) => {
      cpu.state.u32[Off.fpcr >> 2] = Number(v & U32) & FPCR_MASK
    },
  }),
  register('FPSR', [3, 3, 4, 4, 1], {
    check: trap.floatingPoint,
    read: (cpu) => BigInt(cpu.state.u32[Off.fpsr >> 2]!),
    write: (cpu, v) => {
      cpu.state.u32[Off.fpsr >> 2] = Number(v & U32) & FPSR_MASK
    },
  }),
]
