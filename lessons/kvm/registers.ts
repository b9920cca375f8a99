/** Ids of registers for KVM_GET_ONE_REG and KVM_SET_ONE_REG: Documentation/virt/kvm/api.rst, 4.68. */
import type { CoreRegister, RegisterName } from './lab.d.ts'

const ARM64_U64 = 0x6030_0000_0000_0000n
const CORE = 0x0010n << 16n
const SYSREG = 0x0013n << 16n

/** A core register: its offset in struct kvm_regs, in units of 4 bytes. */
const core = (index: number) => ARM64_U64 | CORE | BigInt(index)
/** A system register by op0, op1, CRn, CRm, op2. */
const system = (op0: number, op1: number, crn: number, crm: number, op2: number) =>
  ARM64_U64 | SYSREG | BigInt((op0 << 14) | (op1 << 11) | (crn << 7) | (crm << 3) | op2)

export const CORE_REGISTERS = [
  ...Array.from({ length: 31 }, (_, n) => `x${n}` as CoreRegister),
  'sp',
  'pc',
  'pstate',
] as const satisfies readonly CoreRegister[]

const CORE_IDS = Object.fromEntries(CORE_REGISTERS.map((name, n) => [name, core(2 * n)])) as Record<CoreRegister, bigint>

export const REGISTER_ID: Readonly<Record<RegisterName, bigint>> = {
  ...CORE_IDS,
  sp_el1: core(68),
  elr_el1: core(70),
  // spsr[KVM_NR_SPSR]: EL1, ABT, UND, IRQ, FIQ.
  spsr_el1: core(72),
  spsr_abt: core(74),
  spsr_und: core(76),
  spsr_irq: core(78),
  spsr_fiq: core(80),
  midr_el1: system(3, 0, 0, 0, 0),
  mpidr_el1: system(3, 0, 0, 0, 5),
  id_aa64pfr0_el1: system(3, 0, 0, 4, 0),
  id_aa64pfr1_el1: system(3, 0, 0, 4, 1),
  id_aa64dfr0_el1: system(3, 0, 0, 5, 0),
  id_aa64isar0_el1: system(3, 0, 0, 6, 0),
  id_aa64isar1_el1: system(3, 0, 0, 6, 1),
  id_aa64isar2_el1: system(3, 0, 0, 6, 2),
  id_aa64mmfr0_el1: system(3, 0, 0, 7, 0),
  id_aa64mmfr1_el1: system(3, 0, 0, 7, 1),
  id_aa64mmfr2_el1: system(3, 0, 0, 7, 2),
  sctlr_el1: system(3, 0, 1, 0, 0),
  actlr_el1: system(3, 0, 1, 0, 1),
  cpacr_el1: system(3, 0, 1, 0, 2),
  ttbr0_el1: system(3, 0, 2, 0, 0),
  ttbr1_el1: system(3, 0, 2, 0, 1),
  tcr_el1: system(3, 0, 2, 0, 2),
  afsr0_el1: system(3, 0, 5, 1, 0),
  afsr1_el1: system(3, 0, 5, 1, 1),
  esr_el1: system(3, 0, 5, 2, 0),
  far_el1: system(3, 0, 6, 0, 0),
  par_el1: system(3, 0, 7, 4, 0),
  mair_el1: system(3, 0, 10, 2, 0),
  amair_el1: system(3, 0, 10, 3, 0),
  vbar_el1: system(3, 0, 12, 0, 0),
  disr_el1: system(3, 0, 12, 1, 1),
  contextidr_el1: system(3, 0, 13, 0, 1),
  tpidr_el1: system(3, 0, 13, 0, 4),
  cntkctl_el1: system(3, 0, 14, 1, 0),
  mdscr_el1: system(2, 0, 0, 2, 2),
  clidr_el1: system(3, 1, 0, 0, 1),
  csselr_el1: system(3, 2, 0, 0, 0),
  ctr_el0: system(3, 3, 0, 0, 1),
  tpidr_el0: system(3, 3, 13, 0, 2),
  tpidrro_el0: system(3, 3, 13, 0, 3),
  cntv_ctl_el0: system(3, 3, 14, 3, 1),
  // The interface has the encodings of these two the wrong way round, for good.
  cntv_cval_el0: system(3, 3, 14, 0, 2),
  cntvct_el0: system(3, 3, 14, 3, 2),
}

/** @returns `pc`, `sctlr_el1`, or the id in hexadecimal. */
export function registerName(id: bigint): string {
  return NAME_OF.get(id) ?? `0x${id.toString(16)}`
}
const NAME_OF = new Map(Object.entries(REGISTER_ID).map(([name, id]) => [id, name]))

/** Bytes of the register with this id: bits 55:52 are their logarithm. */
export function registerBytes(id: bigint): number {
  return 1 << Number((id >> 52n) & 0xfn)
}
