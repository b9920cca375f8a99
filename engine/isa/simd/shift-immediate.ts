import type { ESize, Vec } from '../builder.ts'
import { type Row, row } from '../row.ts'
import { shiftHeading } from './heading.ts'
import { Lanes, bitsOf, esizeOf, narrow, narrowSaturating, widen } from './lanes.ts'

/**
 * Advanced SIMD shift by immediate and its scalar counterpart (Arm ARM C4.1.96). The highest set bit of immh gives the
 * element size; immh:immb - esize is a left shift, 2 * esize - immh:immb a right shift. immh = 0 is modified immediate.
 */
type Vector = '0 Q:1 0 011110 immh:4 immb:3 00000 1 Rn:5 Rd:5'
type Scalar = '01 0 111110 immh:4 immb:3 00000 1 Rn:5 Rd:5'

interface Immediate {
  readonly immh: number
  readonly immb: number
}
const sizeOf = (f: Immediate): number => 31 - Math.clz32(f.immh)
const esizeIn = (f: Immediate): ESize => esizeOf(sizeOf(f))
/** Left shift amount, 0..esize-1. */
const left = (f: Immediate): number => ((f.immh << 3) | f.immb) - esizeIn(f)
/** Right shift amount, 1..esize. */
const right = (f: Immediate): number => 2 * esizeIn(f) - ((f.immh << 3) | f.immb)

type Shift = (l: Lanes, a: Vec, n: number, d: () => Vec) => Vec

const shiftRight = (unsigned: boolean): Shift => (l, a, n) => (unsigned ? l.ushr(a, n) : l.sshr(a, n))
const roundedRight = (unsigned: boolean): Shift => (l, a, n) => l.roundedShr(a, n, unsigned)
const accumulating = (f: Shift): Shift => (l, a, n, d) => l.add(d(), f(l, a, n, d))
const insertRight: Shift = (l, a, n, d) => l.select(l.ushr(l.ones(), n), l.ushr(a, n), d())
const insertLeft: Shift = (l, a, n, d) => l.select(l.shl(l.ones(), n), l.shl(a, n), d())
const saturatingLeft = (fromUnsigned: boolean, toUnsigned: boolean): Shift => (l, a, n) => {
  const shifted = l.shl(a, n)
  if (!toUnsigned) {
    const overflow = l.not(l.eq(l.sshr(shifted, n), a))
    l.saturate(overflow)
    return l.select(overflow, l.xor(l.sign(a), l.maximum()), shifted)
  }
  const lost = l.not(l.eq(l.ushr(shifted, n), a))
  if (fromUnsigned) {
    l.saturate(lost)
    return l.or(shifted, lost)
  }
  // SQSHLU: what is negative becomes 0.
  const negative = l.sign(a)
  l.saturate(l.or(lost, negative))
  return l.andnot(l.or(shifted, lost), negative)
}

/** Mnemonic, U, opcode, direction, scalar sizes ('d', or 'bhsd', or ''), operation. */
const sameSize: readonly (readonly [string, 0 | 1, string, 'l' | 'r', 'd' | 'bhsd', Shift])[] = [
  ['sshr', 0, '00000', 'r', 'd', shiftRight(false)],
  ['ushr', 1, '00000', 'r', 'd', shiftRight(true)],
  ['ssra', 0, '00010', 'r', 'd', accumulating(shiftRight(false))],
  ['usra', 1, '00010', 'r', 'd', accumulating(shiftRight(true))],
  ['srshr', 0, '00100', 'r', 'd', roundedRight(false)],
  ['urshr', 1, '00100', 'r', 'd', roundedRight(true)],
  ['srsra', 0, '00110', 'r', 'd', accumulating(roundedRight(false))],
  ['ursra', 1, '00110', 'r', 'd', accumulating(roundedRight(true))],
  ['sri', 1, '01000', 'r', 'd', insertRight],
  ['shl', 0, '01010', 'l', 'd', (l, a, n) => l.shl(a, n)],
  ['sli', 1, '01010', 'l', 'd', insertLeft],
  ['sqshlu', 1, '01100', 'l', 'bhsd', saturatingLeft(false, true)],
  ['sqshl', 0, '01110', 'l', 'bhsd', saturatingLeft(false, false)],
  ['uqshl', 1, '01110', 'l', 'bhsd', saturatingLeft(true, true)],
]

/** Mnemonic, U, opcode, rounding, saturation: none, or [source unsigned, result unsigned]. */
const narrowing: readonly (readonly [string, 0 | 1, string, boolean, readonly [boolean, boolean] | null])[] = [
  ['shrn', 0, '10000', false, null],
  ['rshrn', 0, '10001', true, null],
  ['sqshrn', 0, '10010', false, [false, false]],
  ['sqrshrn', 0, '10011', true, [false, false]],
  ['sqshrun', 1, '10000', false, [false, true]],
  ['sqrshrun', 1, '10001', true, [false, true]],
  ['uqshrn', 1, '10010', false, [true, true]],
  ['uqrshrn', 1, '10011', true, [true, true]],
]

const amount = (direction: 'l' | 'r'): string => (direction === 'l' ? '{shl:immh,immb}' : '{shr:immh,immb}')
const distance = (direction: 'l' | 'r', f: Immediate): number => (direction === 'l' ? left(f) : right(f))

function vectorRow(mnemonic: string, U: number, opcode: string, direction: 'l' | 'r', shift: Shift): Row {
  return row<Vector>({
    name: shiftHeading(mnemonic),
    pattern: `0 Q:1 ${U} 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Vector,
    syntax: `${mnemonic} {Vs:Rd,immh,Q}, {Vs:Rn,immh,Q}, ${amount(direction)}`,
    feature: 'fp',
    when: (f) => f.immh !== 0 && !(f.immh >= 8 && f.Q === 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f), bitsOf(f.Q))
      l.write(f.Rd, shift(l, t.q(f.Rn), distance(direction, f), () => t.q(f.Rd)))
    },
  })
}

function scalarRow(
  mnemonic: string, U: number, opcode: string, direction: 'l' | 'r', sizes: 'd' | 'bhsd', shift: Shift,
): Row {
  return row<Scalar>({
    name: shiftHeading(mnemonic),
    pattern: `01 ${U} 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {scs:Rd,immh}, {scs:Rn,immh}, ${amount(direction)}`,
    feature: 'fp',
    when: (f) => (sizes === 'd' ? f.immh >= 8 : f.immh !== 0),
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f), esizeIn(f))
      l.write(f.Rd, shift(l, t.q(f.Rn), distance(direction, f), () => t.q(f.Rd)))
    },
  })
}

/** Shift elements of twice the size right by n, 1 <= n <= esize, and narrow them to `l.esize` bits. */
function narrowShift(
  l: Lanes, a: Vec, n: number, rounding: boolean, saturation: readonly [boolean, boolean] | null,
): Vec {
  const w = new Lanes(l.t, (l.esize * 2) as ESize, 128)
  const unsigned = saturation === null || saturation[0]
  const v = rounding ? w.roundedShr(a, n, unsigned) : unsigned ? w.ushr(a, n) : w.sshr(a, n)
  return saturation === null ? narrow(l.t, l.esize, v, v) : narrowSaturating(l, v, v, saturation[0], saturation[1])
}

type Narrowing = (typeof narrowing)[number]

function narrowRow([mnemonic, U, opcode, rounding, saturation]: Narrowing): Row {
  const form = (Q: number) => ({
    syntax: `${mnemonic}${Q ? '2' : ''} {Vs:Rd,immh,Q}, {VsW:Rn,immh}, {shr:immh,immb}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  return row<Vector>({
    name: shiftHeading(mnemonic, true),
    pattern: `0 Q:1 ${U} 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    feature: 'fp',
    when: (f) => f.immh !== 0 && f.immh < 8,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f), 64)
      l.writeHalf(f.Rd, f.Q, narrowShift(l, t.q(f.Rn), right(f), rounding, saturation))
    },
  })
}

function narrowScalarRow([mnemonic, U, opcode, rounding, saturation]: Narrowing): Row {
  return row<Scalar>({
    name: shiftHeading(mnemonic, true),
    pattern: `01 ${U} 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Scalar,
    syntax: `${mnemonic} {scs:Rd,immh}, {scsW:Rn,immh}, {shr:immh,immb}`,
    feature: 'fp',
    when: (f) => f.immh !== 0 && f.immh < 8,
    meaning: (t, f) => {
      const l = new Lanes(t, esizeIn(f), esizeIn(f))
      l.write(f.Rd, narrowShift(l, t.q(f.Rn), right(f), rounding, saturation))
    },
  })
}

/** SSHLL, USHLL; with no shift the alias SXTL, UXTL. */
function longRow(U: 0 | 1): Row {
  const letter = U ? 'u' : 's'
  const upper = letter.toUpperCase()
  const form = (Q: number) => ({
    syntax: `${letter}shll${Q ? '2' : ''} {VsW:Rd,immh}, {Vs:Rn,immh,Q}, {shl:immh,immb}`,
    when: (f: { Q: number }) => f.Q === Q,
    fill: () => ({ Q }),
  })
  const alias = (Q: number) => ({
    syntax: `${letter}xtl${Q ? '2' : ''} {VsW:Rd,immh}, {Vs:Rn,immh,Q}`,
    when: (f: Immediate & { Q: number }) => f.Q === Q && f.immb === 0 && (f.immh & (f.immh - 1)) === 0,
    fill: () => ({ Q, immb: 0 }),
  })
  return row<Vector>({
    name: `${upper}SHLL, ${upper}SHLL2`,
    pattern: `0 Q:1 ${U} 011110 immh:4 immb:3 10100 1 Rn:5 Rd:5` as Vector,
    syntax: [form(0), form(1)],
    aliases: [alias(0), alias(1)],
    feature: 'fp',
    when: (f) => f.immh !== 0 && f.immh < 8,
    meaning: (t, f) => {
      const w = new Lanes(t, esizeOf(sizeOf(f) + 1), 128)
      w.write(f.Rd, w.shl(widen(t, esizeIn(f), t.q(f.Rn), f.Q, U === 1), left(f)))
    },
  })
}

// ---- fixed-point conversions: elements of 32 and 64 bits

/** Mnemonic, U, opcode, name of the operation on `esize` bits with `fbits` fraction bits. */
const conversions: readonly (readonly [string, 0 | 1, string, (esize: number, fbits: number) => string])[] = [
  ['scvtf', 0, '11100', (e, n) => `fromS${e}:${n}`],
  ['ucvtf', 1, '11100', (e, n) => `fromU${e}:${n}`],
  ['fcvtzs', 0, '11111', (e, n) => `toS${e}:rz:${n}`],
  ['fcvtzu', 1, '11111', (e, n) => `toU${e}:rz:${n}`],
]
const converted = (l: Lanes, a: Vec, op: string): Vec => l.map((i) => l.t.fp(op, l.esize as 32 | 64, l.u(a, i)))

function conversionRows([mnemonic, U, opcode, op]: (typeof conversions)[number]): Row[] {
  return [
    row<Vector>({
      name: `${mnemonic.toUpperCase()} (vector, fixed-point)`,
      pattern: `0 Q:1 ${U} 011110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Vector,
      syntax: `${mnemonic} {Vs:Rd,immh,Q}, {Vs:Rn,immh,Q}, {shr:immh,immb}`,
      feature: 'fp',
      when: (f) => f.immh >= 4 && !(f.immh >= 8 && f.Q === 0),
      meaning: (t, f) => {
        const l = new Lanes(t, esizeIn(f), bitsOf(f.Q))
        l.write(f.Rd, converted(l, t.q(f.Rn), op(l.esize, right(f))))
      },
    }),
    row<Scalar>({
      name: `${mnemonic.toUpperCase()} (vector, fixed-point)`,
      pattern: `01 ${U} 111110 immh:4 immb:3 ${opcode} 1 Rn:5 Rd:5` as Scalar,
      syntax: `${mnemonic} {scs:Rd,immh}, {scs:Rn,immh}, {shr:immh,immb}`,
      feature: 'fp',
      when: (f) => f.immh >= 4,
      meaning: (t, f) => {
        const l = new Lanes(t, esizeIn(f), esizeIn(f))
        l.write(f.Rd, converted(l, t.q(f.Rn), op(l.esize, right(f))))
      },
    }),
  ]
}

export const rows: readonly Row[] = [
  ...sameSize.map(([m, U, opcode, direction, , shift]) => vectorRow(m, U, opcode, direction, shift)),
  ...sameSize.map(([m, U, opcode, direction, sizes, shift]) => scalarRow(m, U, opcode, direction, sizes, shift)),
  ...narrowing.map(narrowRow),
  ...narrowing.filter(([, , , , saturation]) => saturation !== null).map(narrowScalarRow),
  longRow(0),
  longRow(1),
  ...conversions.flatMap(conversionRows),
]
