import type { ESize, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { fmla, fmls, fp2 } from './fp-elements.ts'
import { elementHeading } from './heading.ts'
import { type Operation2, doublingMulHigh, mla, mls, mul } from './integer.ts'
import { Lanes, bitsOf, esizeOf, widen } from './lanes.ts'
import { longOperations } from './three-different.ts'

/**
 * Advanced SIMD vector x indexed element and its scalar counterpart (Arm ARM C4.1.96): the second operand is one
 * element, its index in H:L:M (16-bit, register Rm of 0..15), H:L (32-bit, register M:Rm) or H (64-bit).
 */
type Vector = '0 Q:1 0 01111 size:2 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5'
type Scalar = '01 0 11111 size:2 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5'
type FpVector = '0 Q:1 0 01111 1 sz:1 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5'
type FpScalar = '01 0 11111 1 sz:1 L:1 M:1 Rm:4 0000 H:1 0 Rn:5 Rd:5'

interface Index {
  readonly H: number
  readonly L: number
  readonly M: number
  readonly Rm: number
}

/** The indexed element of `8 << size` bits in every element of a vector. */
function operand(l: Lanes, size: number, f: Index): Vec {
  const register = size === 1 ? f.Rm : (f.M << 4) | f.Rm
  const index = size === 1 ? (f.H << 2) | (f.L << 1) | f.M : size === 2 ? (f.H << 1) | f.L : f.H
  return l.dup(l.t.q(register), index)
}

const integerSize = (f: { size: number }): boolean => f.size === 1 || f.size === 2

/** Mnemonic, U, opcode, is there a scalar form?, operation. */
const sameSize: readonly (readonly [string, 0 | 1, string, boolean, Operation2])[] = [
  ['mul', 0, '1000', false, mul],
  ['mla', 1, '0000', false, mla],
  ['mls', 1, '0100', false, mls],
  ['sqdmulh', 0, '1100', true, doublingMulHigh(false)],
  ['sqrdmulh', 0, '1101', true, doublingMulHigh(true)],
]
const long: readonly (readonly [string, 0 | 1, string, boolean, Operation2])[] = [
  ['smlal', 0, '0010', false, longOperations.mla],
  ['umlal', 1, '0010', false, longOperations.mla],
  ['sqdmlal', 0, '0011', true, longOperations.doublingMla],
  ['smlsl', 0, '0110', false, longOperations.mls],
  ['umlsl', 1, '0110', false, longOperations.mls],
  ['sqdmlsl', 0, '0111', true, longOperations.doublingMls],
  ['smull', 0, '1010', false, longOperations.mul],
  ['umull', 1, '1010', false, longOperations.mul],
  ['sqdmull', 0, '1011', true, longOperations.doublingMul],
]
const floating: readonly (readonly [string, 0 | 1, string, Operation2])[] = [
  ['fmla', 0, '0001', fmla],
  ['fmls', 0, '0101', fmls],
  ['fmul', 0, '1001', fp2('mul')],
  ['fmulx', 1, '1001', fp2('mulx')],
]

const element = '{Vx:Rm,size,H,L,M}'
const fpElement = '{Vx2:Rm,sz,H,L,M}'

function vectorRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  return row<Vector>({
    name: elementHeading(mnemonic),
    pattern: `0 Q:1 ${U} 01111 size:2 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} {V:Rd,size,Q}, {V:Rn,size,Q}, ${element}`,
    feature: 'fp',
    when: integerSize,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), bitsOf(f.Q))
      l.write(f.Rd, f2(l, t.q(f.Rn), operand(l, f.size, f), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  return row<Scalar>({
    name: elementHeading(mnemonic),
    pattern: `01 ${U} 11111 size:2 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {sc:Rd,size}, {sc:Rn,size}, ${element}`,
    feature: 'fp',
    when: integerSize,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), esizeOf(f.size))
      l.write(f.Rd, f2(l, t.q(f.Rn), operand(l, f.size, f), () => t.q(f.Rd)))
    },
  })
}

/** Widened operands: half of Vn, and the indexed element. */
function longMeaning(
  w: Lanes, f: Index & { size: number; Rn: number; Rd: number }, half: number, unsigned: boolean, f2: Operation2,
): void {
  const { t } = w
  const narrow = new Lanes(t, (w.esize / 2) as ESize, 128)
  const a = widen(t, narrow.esize, t.q(f.Rn), half, unsigned)
  const b = widen(t, narrow.esize, operand(narrow, f.size, f), 0, unsigned)
  w.write(f.Rd, f2(w, a, b, () => t.q(f.Rd)))
}

function longRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  const form = (Q: number) => ({
    syntax: `${mnemonic}${Q ? '2' : ''} {VW:Rd,size}, {V:Rn,size,Q}, ${element}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  return row<Vector>({
    name: elementHeading(mnemonic, true),
    pattern: `0 Q:1 ${U} 01111 size:2 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    feature: 'fp',
    when: integerSize,
    meaning: (t, f) => longMeaning(new Lanes(t, esizeOf(f.size + 1), 128), f, f.Q, U === 1, f2),
  })
}

function longScalarRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  return row<Scalar>({
    name: elementHeading(mnemonic, true),
    pattern: `01 ${U} 11111 size:2 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {scW:Rd,size}, {sc:Rn,size}, ${element}`,
    feature: 'fp',
    when: integerSize,
    meaning: (t, f) => longMeaning(new Lanes(t, esizeOf(f.size + 1), esizeOf(f.size + 1)), f, 0, U === 1, f2),
  })
}

function fpRows([mnemonic, U, opcode, f2]: (typeof floating)[number]): Row[] {
  return [
    row<FpVector>({
      name: elementHeading(mnemonic),
      pattern: `0 Q:1 ${U} 01111 1 sz:1 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as FpVector,
      syntax: `${mnemonic} {V2:Rd,sz,Q}, {V2:Rn,sz,Q}, ${fpElement}`,
      feature: 'fp',
      when: (f) => f.sz === 0 || (f.Q === 1 && f.L === 0),
      meaning: (t, f) => {
        const l = new Lanes(t, f.sz ? 64 : 32, bitsOf(f.Q))
        l.write(f.Rd, f2(l, t.q(f.Rn), operand(l, 2 + f.sz, f), () => t.q(f.Rd)))
      },
    }),
    row<FpScalar>({
      name: elementHeading(mnemonic),
      pattern: `01 ${U} 11111 1 sz:1 L:1 M:1 Rm:4 ${opcode} H:1 0 Rn:5 Rd:5` as FpScalar,
      syntax: `${mnemonic} {sc2:Rd,sz}, {sc2:Rn,sz}, ${fpElement}`,
      feature: 'fp',
      when: (f) => f.sz === 0 || f.L === 0,
      meaning: (t, f) => {
        const l = new Lanes(t, f.sz ? 64 : 32, f.sz ? 64 : 32)
        l.write(f.Rd, f2(l, t.q(f.Rn), operand(l, 2 + f.sz, f), () => t.q(f.Rd)))
      },
    }),
  ]
}

export const rows: readonly Row[] = [
  ...sameSize.map(([m, U, opcode, , f2]) => vectorRow(m, U, opcode, f2)),
  ...sameSize.filter((r) => r[3]).map(([m, U, opcode, , f2]) => scalarRow(m, U, opcode, f2)),
  ...long.map(([m, U, opcode, , f2]) => longRow(m, U, opcode, f2)),
  ...long.filter((r) => r[3]).map(([m, U, opcode, , f2]) => longScalarRow(m, U, opcode, f2)),
  ...floating.flatMap(fpRows),
]
