import { type Row, row } from '../row.ts'
import { absoluteCompare, fabd, fmla, fmls, fp2 } from './fp-elements.ts'
import { registerHeading } from './heading.ts'
import { type Operation2, pairwise } from './integer.ts'
import { Lanes, bitsOf, permuteElements } from './lanes.ts'

/** Advanced SIMD three same, scalar three same, scalar pairwise and across lanes: floating-point (Arm ARM C4.1.96). */
type Vector = '0 Q:1 0 01110 0 sz:1 1 Rm:5 00000 1 Rn:5 Rd:5'
type Scalar = '01 0 11110 0 sz:1 1 Rm:5 00000 1 Rn:5 Rd:5'
type Pairwise = '01 1 11110 0 sz:1 11000 00000 10 Rn:5 Rd:5'
type Across = '0 1 1 01110 0 0 11000 00000 10 Rn:5 Rd:5'

/** Mnemonic, U, bit 23, opcode, is there a scalar form?, operation. */
const operations: readonly (readonly [string, 0 | 1, 0 | 1, string, boolean, Operation2])[] = [
  ['fmaxnm', 0, 0, '11000', false, fp2('maxnm')],
  ['fminnm', 0, 1, '11000', false, fp2('minnm')],
  ['fmla', 0, 0, '11001', false, fmla],
  ['fmls', 0, 1, '11001', false, fmls],
  ['fadd', 0, 0, '11010', false, fp2('add')],
  ['fsub', 0, 1, '11010', false, fp2('sub')],
  ['fmulx', 0, 0, '11011', true, fp2('mulx')],
  ['fcmeq', 0, 0, '11100', true, fp2('eq')],
  ['fmax', 0, 0, '11110', false, fp2('max')],
  ['fmin', 0, 1, '11110', false, fp2('min')],
  ['frecps', 0, 0, '11111', true, fp2('recps')],
  ['frsqrts', 0, 1, '11111', true, fp2('rsqrts')],
  ['fmaxnmp', 1, 0, '11000', false, pairwise(fp2('maxnm'))],
  ['fminnmp', 1, 1, '11000', false, pairwise(fp2('minnm'))],
  ['faddp', 1, 0, '11010', false, pairwise(fp2('add'))],
  ['fabd', 1, 1, '11010', true, fabd],
  ['fmul', 1, 0, '11011', false, fp2('mul')],
  ['fcmge', 1, 0, '11100', true, fp2('ge')],
  ['fcmgt', 1, 1, '11100', true, fp2('gt')],
  ['facge', 1, 0, '11101', true, absoluteCompare('ge')],
  ['facgt', 1, 1, '11101', true, absoluteCompare('gt')],
  ['fmaxp', 1, 0, '11110', false, pairwise(fp2('max'))],
  ['fminp', 1, 1, '11110', false, pairwise(fp2('min'))],
  ['fdiv', 1, 0, '11111', false, fp2('div')],
]

function vectorRow(mnemonic: string, U: number, o1: number, opcode: string, f2: Operation2): Row {
  return row<Vector>({
    name: registerHeading(mnemonic),
    pattern: `0 Q:1 ${U} 01110 ${o1} sz:1 1 Rm:5 ${opcode} 1 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} {V2:Rd,sz,Q}, {V2:Rn,sz,Q}, {V2:Rm,sz,Q}`,
    feature: 'fp',
    when: (f) => !(f.sz === 1 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, f.sz ? 64 : 32, bitsOf(f.Q))
      l.write(f.Rd, f2(l, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(mnemonic: string, U: number, o1: number, opcode: string, f2: Operation2): Row {
  return row<Scalar>({
    name: registerHeading(mnemonic),
    pattern: `01 ${U} 11110 ${o1} sz:1 1 Rm:5 ${opcode} 1 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {sc2:Rd,sz}, {sc2:Rn,sz}, {sc2:Rm,sz}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, f.sz ? 64 : 32, f.sz ? 64 : 32)
      l.write(f.Rd, f2(l, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd)))
    },
  })
}

/** Mnemonic of the pairwise form, of the form across lanes, bit 23, opcodes of both, operation. */
const reductions: readonly (readonly [string, string | null, 0 | 1, string, string, Operation2])[] = [
  ['fmaxnmp', 'fmaxnmv', 0, '01100', '01100', fp2('maxnm')],
  ['fminnmp', 'fminnmv', 1, '01100', '01100', fp2('minnm')],
  ['faddp', null, 0, '01101', '', fp2('add')],
  ['fmaxp', 'fmaxv', 0, '01111', '01111', fp2('max')],
  ['fminp', 'fminv', 1, '01111', '01111', fp2('min')],
]

function pairwiseRow(mnemonic: string, o1: number, opcode: string, f2: Operation2): Row {
  return row<Pairwise>({
    name: `${mnemonic.toUpperCase()} (scalar)`,
    pattern: `01 1 11110 ${o1} sz:1 11000 ${opcode} 10 Rn:5 Rd:5` as Pairwise,
    syntax: `${mnemonic} {sc2:Rd,sz}, {Vr:Rn}.{pair:sz}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, f.sz ? 64 : 32, f.sz ? 64 : 32)
      const v = t.q(f.Rn)
      l.write(f.Rd, f2(l, v, l.dup(v, 1), () => v))
    },
  })
}

/** The Arm ARM's Reduce() combines halves: (0 op 1) op (2 op 3). */
function acrossRow(mnemonic: string, o1: number, opcode: string, f2: Operation2): Row {
  return row<Across>({
    name: mnemonic.toUpperCase(),
    pattern: `0 1 1 01110 ${o1} 0 11000 ${opcode} 10 Rn:5 Rd:5` as Across,
    syntax: `${mnemonic} {S:Rd}, {Vr:Rn}.4s`,
    feature: 'fp',
    meaning: (t, f) => {
      const v = t.q(f.Rn)
      const pair = new Lanes(t, 32, 64)
      const pick = (first: number) => permuteElements(t, 32, v, v, (i) => first + (i & 1) * 2)
      const r = f2(pair, pick(0), pick(1), () => v)
      const one = new Lanes(t, 32, 32)
      one.write(f.Rd, f2(one, r, one.dup(r, 1), () => v))
    },
  })
}

export const rows: readonly Row[] = [
  ...operations.map(([m, U, o1, opcode, , f2]) => vectorRow(m, U, o1, opcode, f2)),
  ...operations.filter((r) => r[4]).map(([m, U, o1, opcode, , f2]) => scalarRow(m, U, o1, opcode, f2)),
  ...reductions.map(([m, , o1, opcode, , f2]) => pairwiseRow(m, o1, opcode, f2)),
  ...reductions.flatMap(([, m, o1, , opcode, f2]) => (m === null ? [] : [acrossRow(m, o1, opcode, f2)])),
]
