import type { ESize } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { Lanes, bitsOf } from './lanes.ts'

/**
 * Advanced SIMD copy and scalar copy (Arm ARM C4.1.96). The lowest set bit of imm5 gives the element size, the bits
 * above it the index.
 */
function sizeOf(imm5: number): number {
  return imm5 & 1 ? 0 : imm5 & 2 ? 1 : imm5 & 4 ? 2 : 3
}
const esizeIn = (imm5: number): ESize => (8 << sizeOf(imm5)) as ESize
const indexIn = (imm5: number): number => imm5 >> (sizeOf(imm5) + 1)
const isElement = (imm5: number): boolean => (imm5 & 15) !== 0

export const rows: readonly Row[] = [
  row({
    name: 'DUP (element)',
    pattern: '0 Q:1 0 01110000 imm5:5 0 0000 1 Rn:5 Rd:5',
    syntax: 'dup {V5:Rd,imm5,Q}, {Velem:Rn,imm5}',
    feature: 'fp',
    when: (f) => isElement(f.imm5) && !(sizeOf(f.imm5) === 3 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f.imm5), bitsOf(f.Q))
      l.write(f.Rd, l.dup(t.q(f.Rn), indexIn(f.imm5)))
    },
  }),
  row({
    name: 'DUP (element)',
    pattern: '01 0 11110000 imm5:5 0 0000 1 Rn:5 Rd:5',
    syntax: 'dup {sc5:Rd,imm5}, {Velem:Rn,imm5}',
    aliases: [{ syntax: 'mov {sc5:Rd,imm5}, {Velem:Rn,imm5}', when: () => true }],
    feature: 'fp',
    when: (f) => isElement(f.imm5),
    meaning: (t, f) => {
      t.setQ(f.Rd, t.vec(t.lane(t.q(f.Rn), indexIn(f.imm5), esizeIn(f.imm5)), t.imm(0)))
    },
  }),
  row({
    name: 'DUP (general)',
    pattern: '0 Q:1 0 01110000 imm5:5 0 0001 1 Rn:5 Rd:5',
    syntax: 'dup {V5:Rd,imm5,Q}, {R5:Rn,imm5}',
    feature: 'fp',
    when: (f) => isElement(f.imm5) && !(sizeOf(f.imm5) === 3 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f.imm5), bitsOf(f.Q))
      l.write(f.Rd, t.splat(t.reg(f.Rn, 1), l.esize))
    },
  }),
  row({
    name: 'SMOV',
    pattern: '0 Q:1 0 01110000 imm5:5 0 0101 1 Rn:5 Rd:5',
    syntax: 'smov {R:Rd,Q}, {Velem:Rn,imm5}',
    feature: 'fp',
    when: (f) => isElement(f.imm5) && sizeOf(f.imm5) < (f.Q ? 3 : 2),
    meaning: (t, f) => {
      const esize = esizeIn(f.imm5)
      t.setReg(f.Rd, f.Q, t.sext(t.lane(t.q(f.Rn), indexIn(f.imm5), esize), esize))
    },
  }),
  row({
    name: 'UMOV',
    pattern: '0 Q:1 0 01110000 imm5:5 0 0111 1 Rn:5 Rd:5',
    syntax: 'umov {R:Rd,Q}, {Velem:Rn,imm5}',
    aliases: [{ syntax: 'mov {R:Rd,Q}, {Velem:Rn,imm5}', when: (f) => sizeOf(f.imm5) >= 2 }],
    feature: 'fp',
    when: (f) => isElement(f.imm5) && (f.Q === 1) === (sizeOf(f.imm5) === 3),
    meaning: (t, f) => {
      t.setReg(f.Rd, f.Q, t.lane(t.q(f.Rn), indexIn(f.imm5), esizeIn(f.imm5)))
    },
  }),
  row({
    name: 'INS (general)',
    pattern: '0 1 0 01110000 imm5:5 0 0011 1 Rn:5 Rd:5',
    syntax: 'ins {Velem:Rd,imm5}, {R5:Rn,imm5}',
    aliases: [{ syntax: 'mov {Velem:Rd,imm5}, {R5:Rn,imm5}', when: () => true }],
    feature: 'fp',
    when: (f) => isElement(f.imm5),
    meaning: (t, f) => {
      t.setQ(f.Rd, t.withLane(t.q(f.Rd), indexIn(f.imm5), esizeIn(f.imm5), t.reg(f.Rn, 1)))
    },
  }),
  row({
    name: 'INS (element)',
    pattern: '0 1 1 01110000 imm5:5 0 imm4:4 1 Rn:5 Rd:5',
    syntax: 'ins {Velem:Rd,imm5}, {Velem4:Rn,imm5,imm4}',
    aliases: [{ syntax: 'mov {Velem:Rd,imm5}, {Velem4:Rn,imm5,imm4}', when: () => true }],
    feature: 'fp',
    when: (f) => isElement(f.imm5),
    meaning: (t, f) => {
      const esize = esizeIn(f.imm5)
      const x = t.lane(t.q(f.Rn), f.imm4 >> sizeOf(f.imm5), esize)
      t.setQ(f.Rd, t.withLane(t.q(f.Rd), indexIn(f.imm5), esize, x))
    },
  }),
]
