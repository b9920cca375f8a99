import { extendedRegister } from './extended-register.ts'
import { type Row, row } from './row.ts'

/** Add/subtract (extended register). Shifts above 4 are unallocated. */
const when = (f: { imm3: number }) => f.imm3 <= 4

export const rows: readonly Row[] = [
  row({
    name: 'ADD (extended register)',
    pattern: 'sf:1 0 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    syntax: 'add {RSP:Rd,sf}, {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}',
    when,
    meaning: (t, f) =>
      t.setRegSp(f.Rd, f.sf, t.add(t.regSp(f.Rn, f.sf), extendedRegister(t, f.Rm, f.option, f.imm3), f.sf)),
  }),
  row({
    name: 'ADDS (extended register)',
    pattern: 'sf:1 0 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    syntax: 'adds {R:Rd,sf}, {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}',
    aliases: [
      { syntax: 'cmn {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}', when: (f) => f.Rd === 31, fill: () => ({ Rd: 31 }) },
    ],
    when,
    meaning: (t, f) =>
      t.setReg(f.Rd, f.sf, t.addFlags(t.regSp(f.Rn, f.sf), extendedRegister(t, f.Rm, f.option, f.imm3), f.sf)),
  }),
  row({
    name: 'SUB (extended register)',
    pattern: 'sf:1 1 0 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    syntax: 'sub {RSP:Rd,sf}, {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}',
    when,
    meaning: (t, f) =>
      t.setRegSp(f.Rd, f.sf, t.sub(t.regSp(f.Rn, f.sf), extendedRegister(t, f.Rm, f.option, f.imm3), f.sf)),
  }),
  row({
    name: 'SUBS (extended register)',
    pattern: 'sf:1 1 1 01011 00 1 Rm:5 option:3 imm3:3 Rn:5 Rd:5',
    syntax: 'subs {R:Rd,sf}, {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}',
    aliases: [
      { syntax: 'cmp {RSP:Rn,sf}, {extend:option,imm3,Rm,sf}', when: (f) => f.Rd === 31, fill: () => ({ Rd: 31 }) },
    ],
    when,
    meaning: (t, f) =>
      t.setReg(f.Rd, f.sf, t.subFlags(t.regSp(f.Rn, f.sf), extendedRegister(t, f.Rm, f.option, f.imm3), f.sf)),
  }),
]
