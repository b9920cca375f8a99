import { type Row, row } from '../row.ts'
import { registerHeading } from './heading.ts'
import {
  type Operation2, absoluteDifference, accumulate, add, doublingMulHigh, halvingAdd, halvingSub, maximum, minimum, mla,
  mls, mul, pairwise, polynomialProduct, roundingHalvingAdd, saturatingAdd, saturatingSub, sub, testBits,
} from './integer.ts'
import { Lanes, bitsOf, esizeOf } from './lanes.ts'
import { shiftByRegister } from './register-shift.ts'

/** Advanced SIMD three same and scalar three same (Arm ARM C4.1.96), integer part. */
type Vector = '0 Q:1 0 01110 size:2 1 Rm:5 00000 1 Rn:5 Rd:5'
type Logical = '0 Q:1 0 01110 00 1 Rm:5 00011 1 Rn:5 Rd:5'
type Scalar = '01 0 11110 size:2 1 Rm:5 00000 1 Rn:5 Rd:5'

const shift = (unsigned: boolean, rounding: boolean, saturating: boolean): Operation2 =>
  shiftByRegister({ unsigned, rounding, saturating })

/** Mnemonic, U, opcode, sizes of the vector form, sizes of the scalar form (b h s d), operation. */
const integer: readonly (readonly [string, 0 | 1, string, string, string, Operation2])[] = [
  ['shadd', 0, '00000', 'bhs', '', halvingAdd(false)],
  ['uhadd', 1, '00000', 'bhs', '', halvingAdd(true)],
  ['sqadd', 0, '00001', 'bhsd', 'bhsd', saturatingAdd(false)],
  ['uqadd', 1, '00001', 'bhsd', 'bhsd', saturatingAdd(true)],
  ['srhadd', 0, '00010', 'bhs', '', roundingHalvingAdd(false)],
  ['urhadd', 1, '00010', 'bhs', '', roundingHalvingAdd(true)],
  ['shsub', 0, '00100', 'bhs', '', halvingSub(false)],
  ['uhsub', 1, '00100', 'bhs', '', halvingSub(true)],
  ['sqsub', 0, '00101', 'bhsd', 'bhsd', saturatingSub(false)],
  ['uqsub', 1, '00101', 'bhsd', 'bhsd', saturatingSub(true)],
  ['cmgt', 0, '00110', 'bhsd', 'd', (l, a, b) => l.op('gtS', a, b)],
  ['cmhi', 1, '00110', 'bhsd', 'd', (l, a, b) => l.op('gtU', a, b)],
  ['cmge', 0, '00111', 'bhsd', 'd', (l, a, b) => l.op('geS', a, b)],
  ['cmhs', 1, '00111', 'bhsd', 'd', (l, a, b) => l.op('geU', a, b)],
  ['sshl', 0, '01000', 'bhsd', 'd', shift(false, false, false)],
  ['ushl', 1, '01000', 'bhsd', 'd', shift(true, false, false)],
  ['sqshl', 0, '01001', 'bhsd', 'bhsd', shift(false, false, true)],
  ['uqshl', 1, '01001', 'bhsd', 'bhsd', shift(true, false, true)],
  ['srshl', 0, '01010', 'bhsd', 'd', shift(false, true, false)],
  ['urshl', 1, '01010', 'bhsd', 'd', shift(true, true, false)],
  ['sqrshl', 0, '01011', 'bhsd', 'bhsd', shift(false, true, true)],
  ['uqrshl', 1, '01011', 'bhsd', 'bhsd', shift(true, true, true)],
  ['smax', 0, '01100', 'bhs', '', maximum(false)],
  ['umax', 1, '01100', 'bhs', '', maximum(true)],
  ['smin', 0, '01101', 'bhs', '', minimum(false)],
  ['umin', 1, '01101', 'bhs', '', minimum(true)],
  ['sabd', 0, '01110', 'bhs', '', absoluteDifference(false)],
  ['uabd', 1, '01110', 'bhs', '', absoluteDifference(true)],
  ['saba', 0, '01111', 'bhs', '', accumulate(absoluteDifference(false))],
  ['uaba', 1, '01111', 'bhs', '', accumulate(absoluteDifference(true))],
  ['add', 0, '10000', 'bhsd', 'd', add],
  ['sub', 1, '10000', 'bhsd', 'd', sub],
  ['cmtst', 0, '10001', 'bhsd', 'd', testBits],
  ['cmeq', 1, '10001', 'bhsd', 'd', (l, a, b) => l.eq(a, b)],
  ['mla', 0, '10010', 'bhs', '', mla],
  ['mls', 1, '10010', 'bhs', '', mls],
  ['mul', 0, '10011', 'bhs', '', mul],
  ['pmul', 1, '10011', 'b', '', (l, a, b) => polynomialProduct(l, a, b, 8)],
  ['smaxp', 0, '10100', 'bhs', '', pairwise(maximum(false))],
  ['umaxp', 1, '10100', 'bhs', '', pairwise(maximum(true))],
  ['sminp', 0, '10101', 'bhs', '', pairwise(minimum(false))],
  ['uminp', 1, '10101', 'bhs', '', pairwise(minimum(true))],
  ['sqdmulh', 0, '10110', 'hs', 'hs', doublingMulHigh(false)],
  ['sqrdmulh', 1, '10110', 'hs', 'hs', doublingMulHigh(true)],
  ['addp', 0, '10111', 'bhsd', '', pairwise(add)],
]

/** Mnemonic, U, size, operation. The element size means nothing to them. */
const logical: readonly (readonly [string, 0 | 1, string, Operation2])[] = [
  ['and', 0, '00', (l, a, b) => l.and(a, b)],
  ['bic', 0, '01', (l, a, b) => l.andnot(a, b)],
  ['orr', 0, '10', (l, a, b) => l.or(a, b)],
  ['orn', 0, '11', (l, a, b) => l.or(a, l.not(b))],
  ['eor', 1, '00', (l, a, b) => l.xor(a, b)],
  ['bsl', 1, '01', (l, a, b, d) => l.select(d(), a, b)],
  ['bit', 1, '10', (l, a, b, d) => l.select(b, a, d())],
  ['bif', 1, '11', (l, a, b, d) => l.select(b, d(), a)],
]

const letters = 'bhsd'

/** Does the `size` field name one of the element sizes in `sizes`? */
export function sizeIn(sizes: string, size: number): boolean {
  return sizes.includes(letters.charAt(size))
}

function vectorRow(mnemonic: string, U: number, opcode: string, sizes: string, f2: Operation2): Row {
  return row<Vector>({
    name: registerHeading(mnemonic),
    pattern: `0 Q:1 ${U} 01110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} {V:Rd,size,Q}, {V:Rn,size,Q}, {V:Rm,size,Q}`,
    feature: 'fp',
    when: (f) => sizeIn(sizes, f.size) && !(f.size === 3 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), bitsOf(f.Q))
      l.write(f.Rd, f2(l, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(mnemonic: string, U: number, opcode: string, sizes: string, f2: Operation2): Row {
  return row<Scalar>({
    name: registerHeading(mnemonic),
    pattern: `01 ${U} 11110 size:2 1 Rm:5 ${opcode} 1 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {sc:Rd,size}, {sc:Rn,size}, {sc:Rm,size}`,
    feature: 'fp',
    when: (f) => sizeIn(sizes, f.size),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), esizeOf(f.size))
      l.write(f.Rd, f2(l, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd)))
    },
  })
}

function logicalRow(mnemonic: string, U: number, size: string, f2: Operation2): Row {
  return row<Logical>({
    name: registerHeading(mnemonic),
    pattern: `0 Q:1 ${U} 01110 ${size} 1 Rm:5 00011 1 Rn:5 Rd:5` as Logical,
    syntax: `${mnemonic} {Vq:Rd,Q}, {Vq:Rn,Q}, {Vq:Rm,Q}`,
    ...(mnemonic === 'orr' && {
      aliases: [
        {
          syntax: 'mov {Vq:Rd,Q}, {Vq:Rn,Q}',
          when: (f: { Rm: number; Rn: number }) => f.Rm === f.Rn,
          fill: (f: Record<string, number>) => ({ Rm: f.Rn ?? 0 }),
        },
      ],
    }),
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, 64, bitsOf(f.Q))
      l.write(f.Rd, f2(l, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd)))
    },
  })
}

export const rows: readonly Row[] = [
  ...logical.map(([m, U, size, f2]) => logicalRow(m, U, size, f2)),
  ...integer.map(([m, U, opcode, sizes, , f2]) => vectorRow(m, U, opcode, sizes, f2)),
  ...integer.filter((r) => r[4] !== '').map(([m, U, opcode, , sizes, f2]) => scalarRow(m, U, opcode, sizes, f2)),
]
