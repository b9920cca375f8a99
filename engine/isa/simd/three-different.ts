import type { Builder, ESize, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { registerHeading } from './heading.ts'
import { type Operation2, polynomialProduct, saturatingAdd, saturatingSub } from './integer.ts'
import { Lanes, esizeOf, narrow, widen } from './lanes.ts'
import { sizeIn } from './three-same.ts'

/** Advanced SIMD three different and scalar three different (Arm ARM C4.1.96): long, wide and narrow operations. */
type Vector = '0 Q:1 0 01110 size:2 1 Rm:5 0000 00 Rn:5 Rd:5'
type Scalar = '01 0 11110 size:2 1 Rm:5 0000 00 Rn:5 Rd:5'

/** Operations on operands already widened; `l` has the wide elements. */
const doublingMul: Operation2 = (l, a, b, d) => {
  const p = l.mul(a, b)
  return saturatingAdd(false)(l, p, p, d)
}
const abd: Operation2 = (l, a, b) => l.abs(l.sub(a, b))
export const longOperations = {
  add: (l, a, b) => l.add(a, b),
  sub: (l, a, b) => l.sub(a, b),
  // Widened elements of either signedness differ by less than half the wide range, so the signed form serves both.
  abd,
  aba: (l, a, b, d) => l.add(d(), abd(l, a, b, d)),
  mul: (l, a, b) => l.mul(a, b),
  mla: (l, a, b, d) => l.add(d(), l.mul(a, b)),
  mls: (l, a, b, d) => l.sub(d(), l.mul(a, b)),
  doublingMul,
  doublingMla: (l, a, b, d) => saturatingAdd(false)(l, d(), doublingMul(l, a, b, d), d),
  doublingMls: (l, a, b, d) => saturatingSub(false)(l, d(), doublingMul(l, a, b, d), d),
  polynomial: (l, a, b) => polynomialProduct(l, a, b, l.esize / 2),
} satisfies Record<string, Operation2>

/** Mnemonic, U, opcode, sizes, operation. */
const long: readonly (readonly [string, 0 | 1, string, string, Operation2])[] = [
  ['saddl', 0, '0000', 'bhs', longOperations.add],
  ['uaddl', 1, '0000', 'bhs', longOperations.add],
  ['ssubl', 0, '0010', 'bhs', longOperations.sub],
  ['usubl', 1, '0010', 'bhs', longOperations.sub],
  ['sabal', 0, '0101', 'bhs', longOperations.aba],
  ['uabal', 1, '0101', 'bhs', longOperations.aba],
  ['sabdl', 0, '0111', 'bhs', longOperations.abd],
  ['uabdl', 1, '0111', 'bhs', longOperations.abd],
  ['smlal', 0, '1000', 'bhs', longOperations.mla],
  ['umlal', 1, '1000', 'bhs', longOperations.mla],
  ['smlsl', 0, '1010', 'bhs', longOperations.mls],
  ['umlsl', 1, '1010', 'bhs', longOperations.mls],
  ['smull', 0, '1100', 'bhs', longOperations.mul],
  ['umull', 1, '1100', 'bhs', longOperations.mul],
  ['sqdmlal', 0, '1001', 'hs', longOperations.doublingMla],
  ['sqdmlsl', 0, '1011', 'hs', longOperations.doublingMls],
  ['sqdmull', 0, '1101', 'hs', longOperations.doublingMul],
]
const wide: readonly (readonly [string, 0 | 1, string, Operation2])[] = [
  ['saddw', 0, '0001', longOperations.add],
  ['uaddw', 1, '0001', longOperations.add],
  ['ssubw', 0, '0011', longOperations.sub],
  ['usubw', 1, '0011', longOperations.sub],
]
/** Mnemonic, U (= rounding), opcode, operation on the wide elements. */
const highNarrow: readonly (readonly [string, 0 | 1, string, Operation2])[] = [
  ['addhn', 0, '0100', longOperations.add],
  ['raddhn', 1, '0100', longOperations.add],
  ['subhn', 0, '0110', longOperations.sub],
  ['rsubhn', 1, '0110', longOperations.sub],
]

type Meaning = (t: Builder, f: { Q: number; size: number; Rm: number; Rn: number; Rd: number }) => void

function vectorRow(
  mnemonic: string, U: number, opcode: string, sizes: string, operands: readonly [string, string, string],
  meaning: Meaning,
): Row {
  const form = (Q: number) => ({
    syntax: `${mnemonic}${Q ? '2' : ''} {${operands[0]}}, {${operands[1]}}, {${operands[2]}}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  return row<Vector>({
    name: registerHeading(mnemonic, true),
    pattern: `0 Q:1 ${U} 01110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    feature: 'fp',
    when: (f) => sizeIn(sizes, f.size),
    meaning,
  })
}

const wideOf = (size: number): ESize => esizeOf(size + 1)

function longRow(mnemonic: string, U: number, opcode: string, sizes: string, unsigned: boolean, f2: Operation2): Row {
  return vectorRow(mnemonic, U, opcode, sizes, ['VW:Rd,size', 'V:Rn,size,Q', 'V:Rm,size,Q'], (t, f) => {
    const l = new Lanes(t, wideOf(f.size), 128)
    const operand = (n: number): Vec => widen(t, esizeOf(f.size), t.q(n), f.Q, unsigned)
    l.write(f.Rd, f2(l, operand(f.Rn), operand(f.Rm), () => t.q(f.Rd)))
  })
}

function wideRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  return vectorRow(mnemonic, U, opcode, 'bhs', ['VW:Rd,size', 'VW:Rn,size', 'V:Rm,size,Q'], (t, f) => {
    const l = new Lanes(t, wideOf(f.size), 128)
    l.write(f.Rd, f2(l, t.q(f.Rn), widen(t, esizeOf(f.size), t.q(f.Rm), f.Q, U === 1), () => t.q(f.Rd)))
  })
}

function highNarrowRow(mnemonic: string, U: number, opcode: string, f2: Operation2): Row {
  return vectorRow(mnemonic, U, opcode, 'bhs', ['V:Rd,size,Q', 'VW:Rn,size', 'VW:Rm,size'], (t, f) => {
    const esize = esizeOf(f.size)
    const w = new Lanes(t, wideOf(f.size), 128)
    const r = f2(w, t.q(f.Rn), t.q(f.Rm), () => t.q(f.Rd))
    const high = U === 1 ? w.roundedShr(r, esize, true) : w.ushr(r, esize)
    new Lanes(t, esize, 64).writeHalf(f.Rd, f.Q, narrow(t, esize, high, high))
  })
}

function scalarRow(mnemonic: string, opcode: string, f2: Operation2): Row {
  return row<Scalar>({
    name: registerHeading(mnemonic, true),
    pattern: `01 0 11110 size:2 1 Rm:5 ${opcode} 00 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {scW:Rd,size}, {sc:Rn,size}, {sc:Rm,size}`,
    feature: 'fp',
    when: (f) => sizeIn('hs', f.size),
    meaning: (t, f) => {
      const l = new Lanes(t, wideOf(f.size), wideOf(f.size))
      const operand = (n: number): Vec => widen(t, esizeOf(f.size), t.q(n), 0, false)
      l.write(f.Rd, f2(l, operand(f.Rn), operand(f.Rm), () => t.q(f.Rd)))
    },
  })
}

export const rows: readonly Row[] = [
  ...long.map(([m, U, opcode, sizes, f2]) => longRow(m, U, opcode, sizes, U === 1, f2)),
  // PMULL of bytes; the 64-bit form (size 3) is the cryptographic extension's.
  longRow('pmull', 0, '1110', 'b', true, longOperations.polynomial),
  ...wide.map(([m, U, opcode, f2]) => wideRow(m, U, opcode, f2)),
  ...highNarrow.map(([m, U, opcode, f2]) => highNarrowRow(m, U, opcode, f2)),
  scalarRow('sqdmlal', '1001', longOperations.doublingMla),
  scalarRow('sqdmlsl', '1011', longOperations.doublingMls),
  scalarRow('sqdmull', '1101', longOperations.doublingMul),
]
