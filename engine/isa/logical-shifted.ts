import { type Row, row } from './row.ts'
import { shiftedRegister, shiftFits as when } from './shifted-register.ts'

/** Logical (shifted register). */
export const rows: readonly Row[] = [
  row({
    name: 'AND (shifted register)',
    pattern: 'sf:1 00 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'and {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.and(t.reg(f.Rn, f.sf), shiftedRegister(t, f))),
  }),
  row({
    name: 'BIC (shifted register)',
    pattern: 'sf:1 00 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'bic {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.and(t.reg(f.Rn, f.sf), t.not(shiftedRegister(t, f), f.sf))),
  }),
  row({
    name: 'ORR (shifted register)',
    pattern: 'sf:1 01 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'orr {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'mov {R:Rd,sf}, {R:Rm,sf}',
        when: (f) => f.Rn === 31 && f.shift === 0 && f.imm6 === 0,
        fill: () => ({ Rn: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.or(t.reg(f.Rn, f.sf), shiftedRegister(t, f))),
  }),
  row({
    name: 'ORN (shifted register)',
    pattern: 'sf:1 01 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'orn {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'mvn {R:Rd,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rn === 31,
        fill: () => ({ Rn: 31 }),
      },
    ],
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.or(t.reg(f.Rn, f.sf), t.not(shiftedRegister(t, f), f.sf))),
  }),
  row({
    name: 'EOR (shifted register)',
    pattern: 'sf:1 10 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'eor {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.xor(t.reg(f.Rn, f.sf), shiftedRegister(t, f))),
  }),
  row({
    name: 'EON (shifted register)',
    pattern: 'sf:1 10 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'eon {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.xor(t.reg(f.Rn, f.sf), t.not(shiftedRegister(t, f), f.sf))),
  }),
  row({
    name: 'ANDS (shifted register)',
    pattern: 'sf:1 11 01010 shift:2 0 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'ands {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    aliases: [
      {
        syntax: 'tst {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
        when: (f) => f.Rd === 31,
        fill: () => ({ Rd: 31 }),
      },
    ],
    when,
    meaning: (t, f) => {
      const result = t.and(t.reg(f.Rn, f.sf), shiftedRegister(t, f))
      t.logicFlags(result, f.sf)
      t.setReg(f.Rd, f.sf, result)
    },
  }),
  row({
    name: 'BICS (shifted register)',
    pattern: 'sf:1 11 01010 shift:2 1 Rm:5 imm6:6 Rn:5 Rd:5',
    syntax: 'bics {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}{shift:shift,imm6}',
    when,
    meaning: (t, f) => {
      const result = t.and(t.reg(f.Rn, f.sf), t.not(shiftedRegister(t, f), f.sf))
      t.logicFlags(result, f.sf)
      t.setReg(f.Rd, f.sf, result)
    },
  }),
]
