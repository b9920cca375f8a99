import { systemRegisterEncoding, systemRegisterNames } from '../../../engine/isa/system-register-names.ts'

/** Roles in the procedure call standard (AAPCS64), in Linux's system calls and in SMCCC. */
export function registerRole(name: string): string | undefined {
  const lower = name.toLowerCase()
  const general = /^([xw])(\d|[12]\d|30)$/.exec(lower)
  if (general !== null) {
    const n = Number(general[2])
    const half = general[1] === 'w' ? `The low 32 bits of x${n}; writing it clears the upper half. ` : ''
    return half + generalRole(n)
  }
  const vector = /^([vqdshb])(\d|[12]\d|3[01])$/.exec(lower)
  if (vector !== null) {
    const n = Number(vector[2])
    const bits = { v: 128, q: 128, d: 64, s: 32, h: 16, b: 8 }[vector[1] as 'v'] ?? 128
    const part = bits === 128 ? '' : `The low ${bits} bits of v${n}. `
    return `${part}SIMD and floating-point register. ${n < 8 ? 'Argument and result.' : n < 16 ? 'Its low 64 bits are kept by a called function.' : 'A call may change it.'}`
  }
  return NAMED[lower]
}

function generalRole(n: number): string {
  if (n === 0)
    return 'First argument and result of a call. Hypercalls and calls of the firmware (SMCCC): the function identifier, then the result.'
  if (n < 8) return `Argument ${n + 1} of a call, a result too. SMCCC: argument ${n}. A call may change it.`
  if (n === 8) return 'Address of a result returned in memory; the number of a Linux system call.'
  if (n < 16) return 'Scratch: a call may change it.'
  if (n === 16) return 'IP0: scratch, also between caller and callee (veneers).'
  if (n === 17) return 'IP1: scratch, also between caller and callee (veneers).'
  if (n === 18) return 'Platform register; Linux keeps the shadow call stack in it where that is built in.'
  if (n < 29) return 'Kept by a called function.'
  return n === 29
    ? 'Frame pointer: address of the frame record (x29, x30 of the caller).'
    : 'Link register: where BL, BLR and RET mean to return to.'
}

const NAMED: Readonly<Record<string, string>> = {
  sp: 'Stack pointer of this exception level (SP_EL0 when PSTATE.SP is 0). A multiple of 16 when used as an address.',
  wsp: 'The low 32 bits of the stack pointer.',
  xzr: 'Reads as zero; what is written to it is gone.',
  wzr: 'Reads as zero, 32 bits; what is written to it is gone.',
  lr: 'x30, the link register: where BL, BLR and RET mean to return to.',
  fp: 'x29, the frame pointer.',
  ip0: 'x16: scratch, also between caller and callee (veneers).',
  ip1: 'x17: scratch, also between caller and callee (veneers).',
}

/** Names that stand for general-purpose and vector registers, for completion. */
export const GENERAL_REGISTERS: readonly string[] = [
  ...Array.from({ length: 31 }, (_, n) => `x${n}`),
  ...Array.from({ length: 31 }, (_, n) => `w${n}`),
  ...Object.keys(NAMED),
]
export const VECTOR_REGISTERS: readonly string[] = ['v', 'q', 'd', 's', 'h', 'b'].flatMap(kind =>
  Array.from({ length: 32 }, (_, n) => `${kind}${n}`),
)

export const SYSTEM_REGISTERS: readonly string[] = [...systemRegisterNames()].map(([name]) => name)

/** A system register as hover shows it; undefined when the name is none. */
export function systemRegister(
  name: string,
): { readonly name: string; readonly encoding: string; readonly level: string; readonly words: string } | undefined {
  const lower = name.toLowerCase()
  const encoding = systemRegisterEncoding(lower)
  if (encoding === undefined) return undefined
  const [op0, op1, crn, crm, op2] = [
    encoding >> 14,
    (encoding >> 11) & 7,
    (encoding >> 7) & 15,
    (encoding >> 3) & 15,
    encoding & 7,
  ]
  const level =
    op1 === 3
      ? 'EL0 and above'
      : op1 === 4
        ? 'EL2 and above'
        : op1 === 5
          ? 'EL1 as seen from EL2 (VHE)'
          : op1 === 6
            ? 'EL3'
            : 'EL1 and above'
  const family = lower.replace(/_el[0-3]\d?$/, '')
  return {
    name: lower.toUpperCase(),
    encoding: `S${op0}_${op1}_C${crn}_C${crm}_${op2}: op0 ${op0}, op1 ${op1}, CRn ${crn}, CRm ${crm}, op2 ${op2}`,
    level,
    words: SYSTEM_WORDS[lower] ?? SYSTEM_WORDS[family] ?? '',
  }
}

/** By name, else by name without the exception level. */
const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  currentel: 'The exception level, in bits 3:2.',
  daif: 'Interrupt masks: debug, SError, IRQ, FIQ.',
  spsel: 'Which stack pointer: 0 SP_EL0, 1 that of the exception level.',
  nzcv: 'The condition flags, bits 31:28.',
  vbar: 'Base of the exception vectors: 16 entries of 128 bytes.',
  elr: 'Exception link register: where ERET returns to.',
  spsr: 'Saved program status: PSTATE that ERET restores.',
  esr: 'Exception syndrome: class in bits 31:26, details in 24:0.',
  far: 'Fault address: the virtual address that an abort was about.',
  hpfar_el2: 'The IPA of a stage-2 fault, bits 47:12 in 39:4.',
  sctlr: 'System control: M MMU, C data cache, I instruction cache, SA stack alignment, WXN.',
  tcr: 'Translation control of stage 1: sizes, granule, cacheability of walks.',
  ttbr0: 'Base of the stage-1 table for low addresses.',
  ttbr1: 'Base of the stage-1 table for high addresses.',
  mair: 'Memory attributes, eight of eight bits, that descriptors choose from.',
  hcr_el2: 'Hypervisor configuration: VM stage 2 on, traps, RW EL1 is AArch64, TGE, E2H.',
  vttbr_el2: 'Base of the stage-2 table; VMID in bits 63:48.',
  vtcr_el2: 'Translation control of stage 2: T0SZ, SL0, granule, PS.',
  vpidr_el2: 'What MIDR_EL1 reads as at EL1.',
  vmpidr_el2: 'What MPIDR_EL1 reads as at EL1.',
  mdcr_el2: 'Traps of debug registers and performance counters to EL2.',
  cptr_el2: 'Traps of floating point, SVE and others to EL2.',
  hstr_el2: 'Traps of AArch32 system registers by CRn.',
  cnthctl_el2: 'Who may use the physical timer and counter.',
  cntvoff_el2: 'Physical minus virtual count.',
  cntfrq_el0: 'Frequency of the counters in Hz.',
  cntvct_el0: 'Virtual count.',
  cntpct_el0: 'Physical count.',
  cntv_ctl_el0: 'Virtual timer: ENABLE, IMASK, ISTATUS.',
  cntv_cval_el0: 'Virtual timer: fires when the count reaches this.',
  cntv_tval_el0: 'Virtual timer: counts until it fires.',
  cntp_ctl_el0: 'Physical timer: ENABLE, IMASK, ISTATUS.',
  cntp_cval_el0: 'Physical timer: fires when the count reaches this.',
  par_el1: 'Result of AT: bit 0 fault, else the physical address in 47:12.',
  tpidr: 'A word for software: thread pointer, or per-CPU base.',
  tpidrro_el0: 'A word that EL0 may read only.',
  mpidr_el1: 'Which processor this is: affinity levels.',
  midr_el1: 'What kind of processor: implementer, part, revision.',
  ctr_el0: 'Cache line sizes and type.',
  dczid_el0: 'Block size of DC ZVA.',
  clidr_el1: 'Which caches there are.',
  ccsidr_el1: 'Geometry of the cache chosen in CSSELR_EL1.',
  csselr_el1: 'Chooses the cache that CCSIDR_EL1 describes.',
  cpacr_el1: 'Whether EL0 and EL1 may use floating point and SVE.',
  sp_el0: 'Stack pointer of EL0.',
  sp_el1: 'Stack pointer of EL1.',
  sp_el2: 'Stack pointer of EL2.',
  fpcr: 'Floating-point control: rounding, flush to zero.',
  fpsr: 'Floating-point status: accumulated exceptions, QC.',
  mdscr_el1: 'Debug control: single step, breakpoints.',
  contextidr: 'A number for debuggers; the ASID where TCR says so.',
  icc_iar1_el1: 'Acknowledge: the interrupt that is now active.',
  icc_eoir1_el1: 'End of interrupt: priority drop.',
  icc_pmr_el1: 'Priority mask: only more urgent interrupts come in.',
  icc_igrpen1_el1: 'Enables interrupts of group 1.',
  icc_sgi1r_el1: 'Sends a software interrupt.',
  icc_sre_el1: 'System register interface of the interrupt controller on.',
  ich_hcr_el2: 'Virtual interrupt interface on, and its maintenance interrupts.',
  ich_vmcr_el2: 'The guest’s view of PMR, BPR and enables.',
}
