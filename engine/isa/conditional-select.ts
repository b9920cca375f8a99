import { type Row, row } from './row.ts'

/** Conditional select. */
export const rows: readonly Row[] = [
  row({
    name: 'CSEL',
    pattern: 'sf:1 0 0 11010100 Rm:5 cond:4 00 Rn:5 Rd:5',
    syntax: 'csel {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {cond:cond}',
    meaning: (t, f) => t.setReg(f.Rd, f.sf, t.select(t.cond(f.cond), t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf))),
  }),
  row({
    name: 'CSINC',
    pattern: 'sf:1 0 0 11010100 Rm:5 cond:4 01 Rn:5 Rd:5',
    syntax: 'csinc {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {cond:cond}',
    aliases: [
      {
        syntax: 'cset {R:Rd,sf}, {condinv:cond}',
        when: (f) => f.Rm === 31 && f.Rn === 31 && f.cond < 14,
        fill: () => ({ Rn: 31, Rm: 31 }),
      },
      {
        syntax: 'cinc {R:Rd,sf}, {R:Rn,sf}, {condinv:cond}',
        when: (f) => f.Rm === f.Rn && f.Rn !== 31 && f.cond < 14,
        fill: (f) => ({ Rm: f.Rn ?? 0 }),
      },
    ],
    meaning: (t, f) => {
      const otherwise = t.add(t.reg(f.Rm, f.sf), t.imm(1), f.sf)
      t.setReg(f.Rd, f.sf, t.select(t.cond(f.cond), t.reg(f.Rn, f.sf), otherwise))
    },
  }),
  row({
    name: 'CSINV',
    pattern: 'sf:1 1 0 11010100 Rm:5 cond:4 00 Rn:5 Rd:5',
    syntax: 'csinv {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {cond:cond}',
    aliases: [
      {
        syntax: 'csetm {R:Rd,sf}, {condinv:cond}',
        when: (f) => f.Rm === 31 && f.Rn === 31 && f.cond < 14,
        fill: () => ({ Rn: 31, Rm: 31 }),
      },
      {
        syntax: 'cinv {R:Rd,sf}, {R:Rn,sf}, {condinv:cond}',
        when: (f) => f.Rm === f.Rn && f.Rn !== 31 && f.cond < 14,
        fill: (f) => ({ Rm: f.Rn ?? 0 }),
      },
    ],
    meaning: (t, f) => {
      const otherwise = t.not(t.reg(f.Rm, f.sf), f.sf)
      t.setReg(f.Rd, f.sf, t.select(t.cond(f.cond), t.reg(f.Rn, f.sf), otherwise))
    },
  }),
  row({
    name: 'CSNEG',
    pattern: 'sf:1 1 0 11010100 Rm:5 cond:4 01 Rn:5 Rd:5',
    syntax: 'csneg {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {cond:cond}',
    aliases: [
      {
        syntax: 'cneg {R:Rd,sf}, {R:Rn,sf}, {condinv:cond}',
        when: (f) => f.Rm === f.Rn && f.cond < 14,
        fill: (f) => ({ Rm: f.Rn ?? 0 }),
      },
    ],
    meaning: (t, f) => {
      const otherwise = t.sub(t.imm(0), t.reg(f.Rm, f.sf), f.sf)
      t.setReg(f.Rd, f.sf, t.select(t.cond(f.cond), t.reg(f.Rn, f.sf), otherwise))
    },
  }),
]
