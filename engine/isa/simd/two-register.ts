import type { ESize, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { registerHeading } from './heading.ts'
import { type Operation1, saturatingAbs, saturatingNeg, signedPlusUnsigned, unsignedPlusSigned } from './integer.ts'
import { Lanes, bitsOf, esizeOf, narrow, narrowSaturating, permuteElements, widen } from './lanes.ts'
import { sizeIn } from './three-same.ts'

/** Advanced SIMD two-register miscellaneous and its scalar counterpart (Arm ARM C4.1.96), integer part. */
type Vector = '0 Q:1 0 01110 size:2 10000 00000 10 Rn:5 Rd:5'
type Fixed = '0 Q:1 0 01110 00 10000 00000 10 Rn:5 Rd:5'
type Scalar = '01 0 11110 size:2 10000 00000 10 Rn:5 Rd:5'

/** Elements in reverse order within each container. */
const reverse = (container: number): Operation1 => (l, a) => {
  const n = container / l.esize
  return permuteElements(l.t, l.esize, a, a, (i) => i - (i % n) + (n - 1 - (i % n)))
}

const countLeading = (sign: boolean): Operation1 => (l, a) =>
  l.map((i) => {
    const count = sign ? l.t.cls(l.s(a, i), 1) : l.t.clz(l.u(a, i), 1)
    return l.t.sub(count, l.t.imm(64 - l.esize))
  })

const reverseBits: Operation1 = (l, a) => {
  let v = a
  for (const [n, mask] of [[4, 0x0f], [2, 0x33], [1, 0x55]] as const) {
    const m = l.t.splat(l.t.imm(mask), 8)
    v = l.or(l.and(l.ushr(v, n), m), l.shl(l.and(v, m), n))
  }
  return v
}

/** Sums of adjacent elements, in elements of twice the size. */
export function pairwiseLong(l: Lanes, a: Vec, unsigned: boolean): Vec {
  const w = new Lanes(l.t, (l.esize * 2) as ESize, l.bits)
  const even = w.shl(a, l.esize)
  return unsigned
    ? w.add(w.ushr(a, l.esize), w.ushr(even, l.esize))
    : w.add(w.sshr(a, l.esize), w.sshr(even, l.esize))
}

type Comparison = 'gt' | 'ge' | 'eq' | 'le' | 'lt'
const compareZero = (c: Comparison): Operation1 => (l, a) => {
  const zero = l.zero()
  switch (c) {
    case 'gt': return l.op('gtS', a, zero)
    case 'ge': return l.op('geS', a, zero)
    case 'eq': return l.eq(a, zero)
    case 'le': return l.op('geS', zero, a)
    case 'lt': return l.sign(a)
  }
}

/** Mnemonic, U, opcode, sizes of the vector form, sizes of the scalar form, operation. */
const sameSize: readonly (readonly [string, 0 | 1, string, string, string, Operation1])[] = [
  ['rev64', 0, '00000', 'bhs', '', reverse(64)],
  ['rev32', 1, '00000', 'bh', '', reverse(32)],
  ['rev16', 0, '00001', 'b', '', reverse(16)],
  ['suqadd', 0, '00011', 'bhsd', 'bhsd', signedPlusUnsigned],
  ['usqadd', 1, '00011', 'bhsd', 'bhsd', unsignedPlusSigned],
  ['cls', 0, '00100', 'bhs', '', countLeading(true)],
  ['clz', 1, '00100', 'bhs', '', countLeading(false)],
  ['cnt', 0, '00101', 'b', '', (l, a) => l.t.vec1('popcount', 8, a)],
  ['sqabs', 0, '00111', 'bhsd', 'bhsd', saturatingAbs],
  ['sqneg', 1, '00111', 'bhsd', 'bhsd', saturatingNeg],
  ['abs', 0, '01011', 'bhsd', 'd', (l, a) => l.abs(a)],
  ['neg', 1, '01011', 'bhsd', 'd', (l, a) => l.neg(a)],
]
const againstZero: readonly (readonly [string, 0 | 1, string, Comparison])[] = [
  ['cmgt', 0, '01000', 'gt'],
  ['cmge', 1, '01000', 'ge'],
  ['cmeq', 0, '01001', 'eq'],
  ['cmle', 1, '01001', 'le'],
  ['cmlt', 0, '01010', 'lt'],
]
/** Mnemonic, U, opcode, does it accumulate? */
const pairLong: readonly (readonly [string, 0 | 1, string, boolean])[] = [
  ['saddlp', 0, '00010', false],
  ['uaddlp', 1, '00010', false],
  ['sadalp', 0, '00110', true],
  ['uadalp', 1, '00110', true],
]
/** Mnemonic, U, opcode, source unsigned, result unsigned. */
const narrowing: readonly (readonly [string, 0 | 1, string, boolean, boolean])[] = [
  ['sqxtn', 0, '10100', false, false],
  ['uqxtn', 1, '10100', true, true],
  ['sqxtun', 1, '10010', false, true],
]

function vectorRow(
  mnemonic: string, U: number, opcode: string, sizes: string, operands: string, f1: Operation1,
  name = registerHeading(mnemonic),
): Row {
  return row<Vector>({
    name,
    pattern: `0 Q:1 ${U} 01110 size:2 10000 ${opcode} 10 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} ${operands}`,
    feature: 'fp',
    when: (f) => sizeIn(sizes, f.size) && !(f.size === 3 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), bitsOf(f.Q))
      l.write(f.Rd, f1(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(
  mnemonic: string, U: number, opcode: string, sizes: string, operands: string, f1: Operation1,
  name = registerHeading(mnemonic),
): Row {
  return row<Scalar>({
    name,
    pattern: `01 ${U} 11110 size:2 10000 ${opcode} 10 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} ${operands}`,
    feature: 'fp',
    when: (f) => sizeIn(sizes, f.size),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), esizeOf(f.size))
      l.write(f.Rd, f1(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

/** NOT and RBIT: U = 1, opcode 00101, the size field tells them apart. */
function bytesRow(mnemonic: string, size: string, f1: Operation1): Row {
  return row<Fixed>({
    name: registerHeading(mnemonic),
    pattern: `0 Q:1 1 01110 ${size} 10000 00101 10 Rn:5 Rd:5` as Fixed,
    syntax: `${mnemonic} {Vq:Rd,Q}, {Vq:Rn,Q}`,
    feature: 'fp',
    meaning: (t, f) => {
      const l = new Lanes(t, 8, bitsOf(f.Q))
      l.write(f.Rd, f1(l, t.q(f.Rn), () => t.q(f.Rd)))
    },
  })
}

type Narrowing = (l: Lanes, a: Vec) => Vec

function narrowRow(mnemonic: string, U: number, opcode: string, f1: Narrowing): Row {
  const form = (Q: number) => ({
    syntax: `${mnemonic}${Q ? '2' : ''} {V:Rd,size,Q}, {VW:Rn,size}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  return row<Vector>({
    name: registerHeading(mnemonic, true),
    pattern: `0 Q:1 ${U} 01110 size:2 10000 ${opcode} 10 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    feature: 'fp',
    when: (f) => f.size !== 3,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), 64)
      l.writeHalf(f.Rd, f.Q, f1(l, t.q(f.Rn)))
    },
  })
}

function narrowScalarRow(mnemonic: string, U: number, opcode: string, f1: Narrowing): Row {
  return row<Scalar>({
    name: registerHeading(mnemonic, true),
    pattern: `01 ${U} 11110 size:2 10000 ${opcode} 10 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {sc:Rd,size}, {scW:Rn,size}`,
    feature: 'fp',
    when: (f) => f.size !== 3,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeOf(f.size), esizeOf(f.size))
      l.write(f.Rd, f1(l, t.q(f.Rn)))
    },
  })
}

const saturateInto = (fromUnsigned: boolean, toUnsigned: boolean): Narrowing => (l, a) =>
  narrowSaturating(l, a, a, fromUnsigned, toUnsigned)

/** SHLL: widen and shift left by the element size, which is to put each element in the upper half of a wide one. */
const shll = row({
  name: 'SHLL, SHLL2',
  pattern: '0 Q:1 1 01110 size:2 10000 10011 10 Rn:5 Rd:5',
  syntax: [0, 1].map((Q) => ({
    syntax: `shll${Q ? '2' : ''} {VW:Rd,size}, {V:Rn,size,Q}, {esize:size}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })),
  feature: 'fp',
  when: (f) => f.size !== 3,
  meaning: (t, f) => {
    const w = new Lanes(t, esizeOf(f.size + 1), 128)
    w.write(f.Rd, w.shl(widen(t, esizeOf(f.size), t.q(f.Rn), f.Q, true), esizeOf(f.size)))
  },
})

const V = '{V:Rd,size,Q}, {V:Rn,size,Q}'
const S = '{sc:Rd,size}, {sc:Rn,size}'

export const rows: readonly Row[] = [
  ...sameSize.map(([m, U, opcode, sizes, , f1]) => vectorRow(m, U, opcode, sizes, V, f1)),
  ...sameSize.filter((r) => r[4] !== '').map(([m, U, opcode, , sizes, f1]) => scalarRow(m, U, opcode, sizes, S, f1)),
  ...againstZero.map(([m, U, opcode, c]) =>
    vectorRow(m, U, opcode, 'bhsd', `${V}, #0`, compareZero(c), `${m.toUpperCase()} (zero)`),
  ),
  ...againstZero.map(([m, U, opcode, c]) =>
    scalarRow(m, U, opcode, 'd', `${S}, #0`, compareZero(c), `${m.toUpperCase()} (zero)`),
  ),
  bytesRow('mvn', '00', (l, a) => l.not(a)),
  bytesRow('rbit', '01', reverseBits),
  ...pairLong.map(([m, U, opcode, accumulates]) =>
    vectorRow(m, U, opcode, 'bhs', '{VL:Rd,size,Q}, {V:Rn,size,Q}', (l, a, d) => {
      const sums = pairwiseLong(l, a, U === 1)
      return accumulates ? l.t.vec2('add', (l.esize * 2) as ESize, d(), sums) : sums
    }),
  ),
  narrowRow('xtn', 0, '10010', (l, a) => narrow(l.t, l.esize, a, a)),
  ...narrowing.map(([m, U, opcode, from, to]) => narrowRow(m, U, opcode, saturateInto(from, to))),
  ...narrowing.map(([m, U, opcode, from, to]) => narrowScalarRow(m, U, opcode, saturateInto(from, to))),
  shll,
]
