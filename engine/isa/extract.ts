import { type Row, row } from './row.ts'

/** Extract: the low half of Rn:Rm shifted right by imms. */
export const rows: readonly Row[] = [
  row({
    name: 'EXTR',
    pattern: 'sf:1 00 100111 N:1 0 Rm:5 imms:6 Rn:5 Rd:5',
    syntax: [
      {
        syntax: 'extr {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {uimm:imms}',
        when: () => true,
        fill: (f) => ({ N: f.sf ?? 0 }),
      },
    ],
    aliases: [
      {
        syntax: 'ror {R:Rd,sf}, {R:Rn,sf}, {uimm:imms}',
        when: (f) => f.Rn === f.Rm,
        fill: (f) => ({ N: f.sf ?? 0, Rm: f.Rn ?? 0 }),
      },
    ],
    when: (f) => f.N === f.sf && (f.sf === 1 || f.imms < 32),
    meaning: (t, f) => {
      const low = t.reg(f.Rm, f.sf)
      if (f.Rn === f.Rm) return t.setReg(f.Rd, f.sf, f.imms === 0 ? low : t.ror(low, t.imm(f.imms), f.sf))
      if (f.imms === 0) return t.setReg(f.Rd, f.sf, low)
      const high = t.shl(t.reg(f.Rn, f.sf), t.imm((f.sf ? 64 : 32) - f.imms), f.sf)
      t.setReg(f.Rd, f.sf, t.or(t.lsr(low, t.imm(f.imms), f.sf), high))
    },
  }),
]
