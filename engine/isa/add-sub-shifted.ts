import { type Row, row } from './row.ts'
import { shiftedRegister, shiftFits } from './shifted-register.ts'

/** Add/subtract (shifted register). ROR (shift 3) is unallocated here. */
const when = (f: { sf: number; shift: number; imm6: number }) => f.shift !== 3 && shiftFits(f)

export const rows: readonly Row[] = [
  row({
    name: 'ADD (shifted register)',
    pattern: 'sf:1 0 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'add {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.add(t.reg(f.Rn, f.sf), shiftedRegister(t, f), f.sf)),
  }),
  row({
    name: 'ADDS (shifted register)',
    pattern: 'sf:1 0 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'adds {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'cmn {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rd === 31,
        fill: () => ({ Rd: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.addFlags(t.reg(f.Rn, f.sf), shiftedRegister(t, f), f.sf)),
  }),
  row({
    name: 'SUB (shifted register)',
    pattern: 'sf:1 1 0 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'sub {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'neg {R:Rd,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rn === 31,
        fill: () => ({ Rn: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.sub(t.reg(f.Rn, f.sf), shiftedRegister(t, f), f.sf)),
  }),
  row({
    name: 'SUBS (shifted register)',
    pattern: 'sf:1 1 1 01011 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'subs {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'cmp {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rd === 31,
        fill: () => ({ Rd: 31 }),
      },
      {
        syntax: 'negs {R:Rd,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rn === 31 && f.Rd !== 31,
        fill: () => ({ Rn: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.subFlags(t.reg(f.Rn, f.sf), shiftedRegister(t, f), f.sf)),
  }),
]
