import type { SystemEvent } from './builder.ts'
import { type Alias, type Row, row } from './row.ts'
import { systemOperation } from './system-operations.ts'

/** System instructions: hints, barriers, PSTATE, system registers, SYS. */

interface SysFields {
  readonly op1: number
  readonly CRn: number
  readonly CRm: number
  readonly op2: number
}

const encodingOf = (op0: number, f: SysFields) => (op0 << 14) | (f.op1 << 11) | (f.CRn << 7) | (f.CRm << 3) | f.op2

/** A hint that does something: CRm is 0, so `op2` is the hint number. */
function eventHint(event: SystemEvent, op2: '001' | '010' | '011' | '100' | '101'): Row {
  return row({
    name: event.toUpperCase(),
    pattern: `1101010100 0 00 011 0010 0000 ${op2} 11111`,
    syntax: event,
    ends: true,
    meaning: (t) => t.event(event),
  })
}

/** Hints that do nothing on this machine, by name: no pointer authentication, no BTI, no RAS, no statistical profiling. */
const hintNames: readonly (readonly [string, number])[] = [
  ['nop', 0],
  ['dgh', 6],
  ['xpaclri', 7],
  ['pacia1716', 8],
  ['pacib1716', 10],
  ['autia1716', 12],
  ['autib1716', 14],
  ['esb', 16],
  ['psb csync', 17],
  ['tsb csync', 18],
  ['csdb', 20],
  ['paciaz', 24],
  ['paciasp', 25],
  ['pacibz', 26],
  ['pacibsp', 27],
  ['autiaz', 28],
  ['autiasp', 29],
  ['autibz', 30],
  ['autibsp', 31],
  ['bti', 32],
  ['bti c', 34],
  ['bti j', 36],
  ['bti jc', 38],
]

const hintAliases: readonly Alias<'CRm:4 op2:3'>[] = hintNames.map(([syntax, n]) => ({
  syntax,
  when: (f) => f.CRm === n >> 3 && f.op2 === (n & 7),
  fill: () => ({ CRm: n >> 3, op2: n & 7 }),
}))

/** Aliases ic, at, tlbi of SYS, with and without register. */
function sysAliases(mnemonic: 'ic' | 'at' | 'tlbi'): Alias<'op1:3 CRn:4 CRm:4 op2:3 Rt:5'>[] {
  const named = (f: SysFields, register: boolean) => {
    const o = systemOperation(f.op1, f.CRn, f.CRm, f.op2)
    return o?.mnemonic === mnemonic && o.register === register
  }
  const withRegister: Alias<'op1:3 CRn:4 CRm:4 op2:3 Rt:5'> = {
    syntax: `${mnemonic} {sysop:op1,CRn,CRm,op2}, {X:Rt}`,
    when: (f) => named(f, true),
  }
  if (mnemonic === 'at') return [withRegister]
  return [
    withRegister,
    {
      syntax: `${mnemonic} {sysop:op1,CRn,CRm,op2}`,
      when: (f) => f.Rt === 31 && named(f, false),
      fill: () => ({ Rt: 31 }),
    },
  ]
}

/** DC operations; everything a data cache does is invisible here but for the zeroing one. */
const isDataCache = (f: SysFields) => systemOperation(f.op1, f.CRn, f.CRm, f.op2)?.mnemonic === 'dc'

/**
 * Registers whose value changes neither control flow nor translation nor what may interrupt: NZCV, FPSR, ELR_EL1,
 * SPSR_EL1, SP_EL0, the thread pointers. Writing one does not end a block.
 */
const plainRegisters = new Set([
  encodingOf(3, { op1: 3, CRn: 4, CRm: 2, op2: 0 }),
  encodingOf(3, { op1: 3, CRn: 4, CRm: 4, op2: 1 }),
  encodingOf(3, { op1: 0, CRn: 4, CRm: 0, op2: 1 }),
  encodingOf(3, { op1: 0, CRn: 4, CRm: 0, op2: 0 }),
  encodingOf(3, { op1: 0, CRn: 4, CRm: 1, op2: 0 }),
  encodingOf(3, { op1: 3, CRn: 13, CRm: 0, op2: 2 }),
  encodingOf(3, { op1: 3, CRn: 13, CRm: 0, op2: 3 }),
  encodingOf(3, { op1: 0, CRn: 13, CRm: 0, op2: 4 }),
  encodingOf(3, { op1: 4, CRn: 13, CRm: 0, op2: 2 }),
])
const isPlain = (f: SysFields & { readonly o0: number }) => plainRegisters.has(encodingOf(2 + f.o0, f))

export const rows: readonly Row[] = [
  eventHint('yield', '001'),
  eventHint('wfe', '010'),
  eventHint('wfi', '011'),
  eventHint('sev', '100'),
  eventHint('sevl', '101'),
  row({
    name: 'HINT',
    pattern: '1101010100 0 00 011 0010 CRm:4 op2:3 11111',
    syntax: 'hint {hint:CRm,op2}',
    aliases: hintAliases,
    meaning: () => {},
  }),
  row({
    name: 'CLREX',
    pattern: '1101010100 0 00 011 0011 CRm:4 010 11111',
    syntax: 'clrex{clrex:CRm}',
    meaning: (t) => t.clearExclusive(),
  }),
  row({
    name: 'DSB',
    pattern: '1101010100 0 00 011 0011 CRm:4 100 11111',
    syntax: 'dsb {barrier:CRm}',
    aliases: [
      { syntax: 'ssbb', when: (f) => f.CRm === 0, fill: () => ({ CRm: 0 }) },
      { syntax: 'pssbb', when: (f) => f.CRm === 4, fill: () => ({ CRm: 4 }) },
    ],
    meaning: (t) => t.barrier('dsb'),
  }),
  row({
    name: 'DMB',
    pattern: '1101010100 0 00 011 0011 CRm:4 101 11111',
    syntax: 'dmb {barrier:CRm}',
    meaning: (t) => t.barrier('dmb'),
  }),
  row({
    name: 'ISB',
    pattern: '1101010100 0 00 011 0011 CRm:4 110 11111',
    syntax: 'isb{isb:CRm}',
    ends: true,
    meaning: (t) => t.barrier('isb'),
  }),
  row({
    name: 'MSR (immediate, DAIFSet)',
    pattern: '1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111',
    syntax: 'msr {pstate:op1,op2}, {uimm:CRm}',
    // Masking more cannot let an interrupt in, so the block goes on.
    when: (f) => f.op1 === 3 && f.op2 === 6,
    meaning: (t, f) => t.msrImm(f.op1, f.op2, f.CRm),
  }),
  row({
    name: 'MSR (immediate)',
    pattern: '1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111',
    syntax: 'msr {pstate:op1,op2}, {uimm:CRm}',
    // SPSel and DAIFClr. PAN, UAO, DIT, SSBS, TCO belong to extensions that are not advertised.
    when: (f) => (f.op1 === 0 && f.op2 === 5) || (f.op1 === 3 && f.op2 === 7),
    ends: true,
    meaning: (t, f) => t.msrImm(f.op1, f.op2, f.CRm),
  }),
  row({
    name: 'SYS (DC)',
    pattern: '1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    syntax: 'dc {sysop:op1,CRn,CRm,op2}, {X:Rt}',
    when: isDataCache,
    meaning: (t, f) => t.sysOp(encodingOf(1, f), t.reg(f.Rt, 1)),
  }),
  row({
    name: 'SYS',
    pattern: '1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    syntax: 'sys {uimm:op1}, {cr:CRn}, {cr:CRm}, {uimm:op2}, {X:Rt}',
    aliases: [
      ...sysAliases('ic'),
      ...sysAliases('at'),
      ...sysAliases('tlbi'),
      {
        syntax: 'sys {uimm:op1}, {cr:CRn}, {cr:CRm}, {uimm:op2}',
        when: (f) => f.Rt === 31,
        fill: () => ({ Rt: 31 }),
      },
    ],
    when: (f) => !isDataCache(f),
    ends: true,
    meaning: (t, f) => t.sysOp(encodingOf(1, f), t.reg(f.Rt, 1)),
  }),
  row({
    name: 'MSR (register)',
    pattern: '1101010100 0 1 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    syntax: 'msr {sysreg:o0,op1,CRn,CRm,op2}, {X:Rt}',
    when: (f) => !isPlain(f),
    ends: true,
    meaning: (t, f) => t.sysWrite(encodingOf(2 + f.o0, f), t.reg(f.Rt, 1)),
  }),
  row({
    name: 'MSR (register, plain storage)',
    pattern: '1101010100 0 1 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    syntax: 'msr {sysreg:o0,op1,CRn,CRm,op2}, {X:Rt}',
    when: isPlain,
    meaning: (t, f) => t.sysWrite(encodingOf(2 + f.o0, f), t.reg(f.Rt, 1)),
  }),
  row({
    name: 'MRS',
    pattern: '1101010100 1 1 o0:1 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    syntax: 'mrs {X:Rt}, {sysreg:o0,op1,CRn,CRm,op2}',
    meaning: (t, f) => t.setReg(f.Rt, 1, t.sysRead(encodingOf(2 + f.o0, f))),
  }),
]
