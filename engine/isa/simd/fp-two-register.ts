import type { ESize } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { compareZero, fabs, fneg, fp1, fp1Sized } from './fp-elements.ts'
import { registerHeading } from './heading.ts'
import type { Operation1 } from './integer.ts'
import { Lanes, bitsOf } from './lanes.ts'

/** Advanced SIMD two-register miscellaneous and its scalar counterpart: floating-point (Arm ARM C4.1.96). */
type Vector = '0 Q:1 0 01110 0 sz:1 10000 00000 10 Rn:5 Rd:5'
type Scalar = '01 0 11110 0 sz:1 10000 00000 10 Rn:5 Rd:5'

const toInteger = (sign: 'S' | 'U', rounding: string): Operation1 => fp1Sized((e) => `to${sign}${e}:${rounding}`)

/** Mnemonic, U, bit 23, opcode, forms (v = vector, s = scalar), operation. */
const operations: readonly (readonly [string, 0 | 1, 0 | 1, string, 'v' | 's' | 'vs', Operation1])[] = [
  ['frintn', 0, 0, '11000', 'v', fp1('frintn')],
  ['frintm', 0, 0, '11001', 'v', fp1('frintm')],
  ['frintp', 0, 1, '11000', 'v', fp1('frintp')],
  ['frintz', 0, 1, '11001', 'v', fp1('frintz')],
  ['frinta', 1, 0, '11000', 'v', fp1('frinta')],
  ['frintx', 1, 0, '11001', 'v', fp1('frintx')],
  ['frinti', 1, 1, '11001', 'v', fp1('frinti')],
  ['fcvtns', 0, 0, '11010', 'vs', toInteger('S', 'rn')],
  ['fcvtms', 0, 0, '11011', 'vs', toInteger('S', 'rm')],
  ['fcvtas', 0, 0, '11100', 'vs', toInteger('S', 'ra')],
  ['fcvtps', 0, 1, '11010', 'vs', toInteger('S', 'rp')],
  ['fcvtzs', 0, 1, '11011', 'vs', toInteger('S', 'rz')],
  ['fcvtnu', 1, 0, '11010', 'vs', toInteger('U', 'rn')],
  ['fcvtmu', 1, 0, '11011', 'vs', toInteger('U', 'rm')],
  ['fcvtau', 1, 0, '11100', 'vs', toInteger('U', 'ra')],
  ['fcvtpu', 1, 1, '11010', 'vs', toInteger('U', 'rp')],
  ['fcvtzu', 1, 1, '11011', 'vs', toInteger('U', 'rz')],
  ['scvtf', 0, 0, '11101', 'vs', fp1Sized((e) => `fromS${e}`)],
  ['ucvtf', 1, 0, '11101', 'vs', fp1Sized((e) => `fromU${e}`)],
  ['fabs', 0, 1, '01111', 'v', fabs],
  ['fneg', 1, 1, '01111', 'v', fneg],
  ['fsqrt', 1, 1, '11111', 'v', fp1('sqrt')],
  ['frecpe', 0, 1, '11101', 'vs', fp1('recpe')],
  ['frsqrte', 1, 1, '11101', 'vs', fp1('rsqrte')],
  ['frecpx', 0, 1, '11111', 's', fp1('recpx')],
]
const againstZero: readonly (readonly [string, 0 | 1, string, 'eq' | 'ge' | 'gt' | 'le' | 'lt'])[] = [
  ['fcmgt', 0, '01100', 'gt'],
  ['fcmge', 1, '01100', 'ge'],
  ['fcmeq', 0, '01101', 'eq'],
  ['fcmle', 1, '01101', 'le'],
  ['fcmlt', 0, '01110', 'lt'],
]

function vectorRow(mnemonic: string, U: number, o1: number, opcode: string, zero: string, f1: Operation1): Row {
  return row<Vector>({
    name: zero ? `${mnemonic.toUpperCase()} (zero)` : registerHeading(mnemonic),
    pattern: `0 Q:1 ${U} 01110 ${o1} sz:1 10000 ${opcode} 10 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} {V2:Rd,sz,Q}, {V2:Rn,sz,Q}${zero}`,
    feature: 'fp',
    when: (f) => !(f.sz === 1 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, f.sz ? 64 : 32, bitsOf(f.Q))
      l.write(f.Rd, f1(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(mnemonic: string, U: number, o1: number, opcode: string, zero: string, f1: Operation1): Row {
  return row<Scalar>({
    name: zero ? `${mnemonic.toUpperCase()} (zero)` : registerHeading(mnemonic),
    pattern: `01 ${U} 11110 ${o1} sz:1 10000 ${opcode} 10 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {sc2:Rd,sz}, {sc2:Rn,sz}${zero}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, f.sz ? 64 : 32, f.sz ? 64 : 32)
      l.write(f.Rd, f1(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

/** URECPE, URSQRTE: estimates of 32-bit fractions. */
function estimateRow(mnemonic: string, U: 0 | 1): Row {
  type Estimate = '0 Q:1 0 01110 10 10000 11100 10 Rn:5 Rd:5'
  return row<Estimate>({
    name: mnemonic.toUpperCase(),
    pattern: `0 Q:1 ${U} 01110 10 10000 11100 10 Rn:5 Rd:5` as Estimate,
    syntax: `${mnemonic} {Vr:Rd}.{arr32:Q}, {Vr:Rn}.{arr32:Q}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, 32, bitsOf(f.Q))
      l.write(f.Rd, fp1(mnemonic)(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

// ---- conversions between precisions: sz = 0 half and single, sz = 1 single and double

function narrowRow(mnemonic: string, U: number, allowed: (sz: number) => boolean, suffix: string): Row {
  const form = (Q: number) => ({
    syntax: `${mnemonic}${Q ? '2' : ''} {VcN:Rd,sz,Q}, {VcW:Rn,sz}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  return row<Vector>({
    name: registerHeading(mnemonic, true),
    pattern: `0 Q:1 ${U} 01110 0 sz:1 10000 10110 10 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    feature: 'fp',
    when: (f) => allowed(f.sz),
    meaning: (t, f) => {
      const wide = f.sz ? 64 : 32
      const l = new Lanes(t, (wide / 2) as ESize, 64)
      const v = t.q(f.Rn)
      const op = `toF${wide / 2}${suffix}`
      l.writeHalf(f.Rd, f.Q, l.map((i) => t.fp(op, wide, t.lane(v, i, wide))))
    },
  })
}

const fcvtl = row({
  name: 'FCVTL, FCVTL2',
  pattern: '0 Q:1 0 01110 0 sz:1 10000 10111 10 Rn:5 Rd:5',
  syntax: [0, 1].map((Q) => ({
    syntax: `fcvtl${Q ? '2' : ''} {VcW:Rd,sz}, {VcN:Rn,sz,Q}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })),
  feature: 'fp',
  meaning: (t, f) => {
    const wide = f.sz ? 64 : 32
    const narrow = f.sz ? 32 : 16
    const l = new Lanes(t, wide, 128)
    const v = t.q(f.Rn)
    const first = f.Q * l.count
    l.write(f.Rd, l.map((i) => t.fp(`toF${wide}`, narrow, t.lane(v, first + i, narrow))))
  },
})

const fcvtxnScalar = row({
  name: 'FCVTXN, FCVTXN2',
  pattern: '01 1 11110 01 10000 10110 10 Rn:5 Rd:5',
  syntax: 'fcvtxn {S:Rd}, {D:Rn}',
  feature: 'fp',
  meaning: (t, f) => {
    t.setQ(f.Rd, t.vec(t.fp('toF32:odd', 64, t.lane(t.q(f.Rn), 0, 64)), t.imm(0)))
  },
})

const ZERO = ', #0.0'

export const rows: readonly Row[] = [
  ...operations.filter((r) => r[4] !== 's').map(([m, U, o1, opcode, , f1]) => vectorRow(m, U, o1, opcode, '', f1)),
  ...operations.filter((r) => r[4] !== 'v').map(([m, U, o1, opcode, , f1]) => scalarRow(m, U, o1, opcode, '', f1)),
  ...againstZero.map(([m, U, opcode, c]) => vectorRow(m, U, 1, opcode, ZERO, compareZero(c))),
  ...againstZero.map(([m, U, opcode, c]) => scalarRow(m, U, 1, opcode, ZERO, compareZero(c))),
  estimateRow('urecpe', 0),
  estimateRow('ursqrte', 1),
  narrowRow('fcvtn', 0, () => true, ''),
  narrowRow('fcvtxn', 1, (sz) => sz === 1, ':odd'),
  fcvtl,
  fcvtxnScalar,
]
