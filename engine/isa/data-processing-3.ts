import { type Row, row } from './row.ts'

/** Data processing (3 source): multiplication. */
export const rows: readonly Row[] = [
  row({
    name: 'MADD',
    pattern: 'sf:1 00 11011 000 Rm:5 0 Ra:5 Rn:5 Rd:5',
    syntax: 'madd {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {R:Ra,sf}',
    aliases: [
      { syntax: 'mul {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) },
    ],
    meaning: (t, f) => {
      const product = t.mul(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)
      t.setReg(f.Rd, f.sf, f.Ra === 31 ? product : t.add(t.reg(f.Ra, f.sf), product, f.sf))
    },
  }),
  row({
    name: 'MSUB',
    pattern: 'sf:1 00 11011 000 Rm:5 1 Ra:5 Rn:5 Rd:5',
    syntax: 'msub {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}, {R:Ra,sf}',
    aliases: [
      { syntax: 'mneg {R:Rd,sf}, {R:Rn,sf}, {R:Rm,sf}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) },
    ],
    meaning: (t, f) => {
      const product = t.mul(t.reg(f.Rn, f.sf), t.reg(f.Rm, f.sf), f.sf)
      t.setReg(f.Rd, f.sf, t.sub(t.reg(f.Ra, f.sf), product, f.sf))
    },
  }),
  row({
    name: 'SMADDL',
    pattern: '1 00 11011 001 Rm:5 0 Ra:5 Rn:5 Rd:5',
    syntax: 'smaddl {X:Rd}, {W:Rn}, {W:Rm}, {X:Ra}',
    aliases: [{ syntax: 'smull {X:Rd}, {W:Rn}, {W:Rm}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) }],
    meaning: (t, f) => {
      const product = t.mul(t.sext(t.reg(f.Rn, 0), 32), t.sext(t.reg(f.Rm, 0), 32))
      t.setReg(f.Rd, 1, t.add(t.reg(f.Ra, 1), product))
    },
  }),
  row({
    name: 'SMSUBL',
    pattern: '1 00 11011 001 Rm:5 1 Ra:5 Rn:5 Rd:5',
    syntax: 'smsubl {X:Rd}, {W:Rn}, {W:Rm}, {X:Ra}',
    aliases: [{ syntax: 'smnegl {X:Rd}, {W:Rn}, {W:Rm}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) }],
    meaning: (t, f) => {
      const product = t.mul(t.sext(t.reg(f.Rn, 0), 32), t.sext(t.reg(f.Rm, 0), 32))
      t.setReg(f.Rd, 1, t.sub(t.reg(f.Ra, 1), product))
    },
  }),
  row({
    name: 'SMULH',
    pattern: '1 00 11011 010 Rm:5 0 ooooo Rn:5 Rd:5',
    syntax: 'smulh {X:Rd}, {X:Rn}, {X:Rm}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.smulh(t.reg(f.Rn, 1), t.reg(f.Rm, 1))),
  }),
  row({
    name: 'UMADDL',
    pattern: '1 00 11011 101 Rm:5 0 Ra:5 Rn:5 Rd:5',
    syntax: 'umaddl {X:Rd}, {W:Rn}, {W:Rm}, {X:Ra}',
    aliases: [{ syntax: 'umull {X:Rd}, {W:Rn}, {W:Rm}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) }],
    meaning: (t, f) => {
      const product = t.mul(t.reg(f.Rn, 0), t.reg(f.Rm, 0))
      t.setReg(f.Rd, 1, t.add(t.reg(f.Ra, 1), product))
    },
  }),
  row({
    name: 'UMSUBL',
    pattern: '1 00 11011 101 Rm:5 1 Ra:5 Rn:5 Rd:5',
    syntax: 'umsubl {X:Rd}, {W:Rn}, {W:Rm}, {X:Ra}',
    aliases: [{ syntax: 'umnegl {X:Rd}, {W:Rn}, {W:Rm}', when: (f) => f.Ra === 31, fill: () => ({ Ra: 31 }) }],
    meaning: (t, f) => {
      const product = t.mul(t.reg(f.Rn, 0), t.reg(f.Rm, 0))
      t.setReg(f.Rd, 1, t.sub(t.reg(f.Ra, 1), product))
    },
  }),
  row({
    name: 'UMULH',
    pattern: '1 00 11011 110 Rm:5 0 ooooo Rn:5 Rd:5',
    syntax: 'umulh {X:Rd}, {X:Rn}, {X:Rm}',
    meaning: (t, f) => t.setReg(f.Rd, 1, t.umulh(t.reg(f.Rn, 1), t.reg(f.Rm, 1))),
  }),
]
