import type { ESize, Vec } from '../builder.ts'
import { Lanes, narrowSaturating, permuteElements, widen } from './lanes.ts'

/**
 * What integer Advanced SIMD instructions of two source operands do with their elements, whatever their encoding
 * (vector, scalar, by element). `d` gives the old destination.
 */
export type Operation2 = (l: Lanes, a: Vec, b: Vec, d: () => Vec) => Vec
export type Operation1 = (l: Lanes, a: Vec, d: () => Vec) => Vec

// ---- halving, difference, comparison
/** (a + b) / 2 without losing the carry: the common bits plus half of the differing ones. */
export const halvingAdd = (unsigned: boolean): Operation2 => (l, a, b) => {
  const x = l.xor(a, b)
  return l.add(l.and(a, b), unsigned ? l.ushr(x, 1) : l.sshr(x, 1))
}
export const roundingHalvingAdd = (unsigned: boolean): Operation2 => (l, a, b) => {
  const x = l.xor(a, b)
  return l.sub(l.or(a, b), unsigned ? l.ushr(x, 1) : l.sshr(x, 1))
}
/** (a - b) / 2, from a - b = (a ^ b) - 2 (b & ~a). */
export const halvingSub = (unsigned: boolean): Operation2 => (l, a, b) => {
  const x = l.xor(a, b)
  return l.sub(unsigned ? l.ushr(x, 1) : l.sshr(x, 1), l.andnot(b, a))
}
export const maximum = (unsigned: boolean): Operation2 => (l, a, b) => l.op(unsigned ? 'maxU' : 'maxS', a, b)
export const minimum = (unsigned: boolean): Operation2 => (l, a, b) => l.op(unsigned ? 'minU' : 'minS', a, b)
export const absoluteDifference = (unsigned: boolean): Operation2 => (l, a, b) =>
  unsigned ? l.sub(l.op('maxU', a, b), l.op('minU', a, b)) : l.sub(l.op('maxS', a, b), l.op('minS', a, b))
export const add: Operation2 = (l, a, b) => l.add(a, b)
export const sub: Operation2 = (l, a, b) => l.sub(a, b)
export const mul: Operation2 = (l, a, b) => l.mul(a, b)
export const mla: Operation2 = (l, a, b, d) => l.add(d(), l.mul(a, b))
export const mls: Operation2 = (l, a, b, d) => l.sub(d(), l.mul(a, b))
export const accumulate = (f: Operation2): Operation2 => (l, a, b, d) => l.add(d(), f(l, a, b, d))
export const testBits: Operation2 = (l, a, b) => l.not(l.eq(l.and(a, b), l.zero()))
/** Adjacent elements of the concatenation a:b combined. */
export const pairwise = (f: Operation2): Operation2 => (l, a, b, d) => {
  const { t, esize } = l
  if (l.bits === 128) {
    return f(
      l,
      permuteElements(t, esize, a, b, (i) => 2 * i),
      permuteElements(t, esize, a, b, (i) => 2 * i + 1),
      d,
    )
  }
  const both = permuteElements(t, 64, a, b, (i) => 2 * i)
  const half = 64 / esize
  return f(
    l,
    permuteElements(t, esize, both, both, (i) => 2 * (i % half)),
    permuteElements(t, esize, both, both, (i) => 2 * (i % half) + 1),
    d,
  )
}

/** Carry-less product of elements, modulo the element size. `width`: significant bits of b. */
export function polynomialProduct(l: Lanes, a: Vec, b: Vec, width: number): Vec {
  let r = l.zero()
  for (let i = 0; i < width; i++) {
    const bit = l.sign(l.shl(b, l.esize - 1 - i))
    r = l.xor(r, l.and(l.shl(a, i), bit))
  }
  return r
}

// ---- saturation
export const saturatingAdd = (unsigned: boolean): Operation2 => (l, a, b) => {
  const sum = l.add(a, b)
  if (unsigned) {
    const carry = l.gt(a, sum, true)
    l.saturate(carry)
    return l.or(sum, carry)
  }
  const overflow = l.sign(l.and(l.xor(a, sum), l.xor(b, sum)))
  l.saturate(overflow)
  return l.select(overflow, l.xor(l.sign(a), l.maximum()), sum)
}
export const saturatingSub = (unsigned: boolean): Operation2 => (l, a, b) => {
  const difference = l.sub(a, b)
  if (unsigned) {
    const borrow = l.gt(b, a, true)
    l.saturate(borrow)
    return l.andnot(difference, borrow)
  }
  const overflow = l.sign(l.and(l.xor(a, b), l.xor(a, difference)))
  l.saturate(overflow)
  return l.select(overflow, l.xor(l.sign(a), l.maximum()), difference)
}
export const saturatingAbs: Operation1 = (l, a) => {
  const lowest = l.eq(a, l.minimum())
  l.saturate(lowest)
  return l.xor(l.abs(a), lowest)
}
export const saturatingNeg: Operation1 = (l, a) => {
  const lowest = l.eq(a, l.minimum())
  l.saturate(lowest)
  return l.xor(l.neg(a), lowest)
}
/** SUQADD: signed destination plus unsigned operand. It can only overflow upwards, seen as a decrease. */
export const signedPlusUnsigned: Operation1 = (l, a, d) => {
  const old = d()
  const sum = l.add(old, a)
  const overflow = l.gt(old, sum, false)
  l.saturate(overflow)
  return l.select(overflow, l.maximum(), sum)
}
/** USQADD: unsigned destination plus signed operand. */
export const unsignedPlusSigned: Operation1 = (l, a, d) => {
  const old = d()
  const sum = l.add(old, a)
  const negative = l.sign(a)
  const above = l.andnot(l.gt(old, sum, true), negative)
  const below = l.and(l.gt(sum, old, true), negative)
  l.saturate(l.or(above, below))
  return l.andnot(l.or(sum, above), below)
}
/** SQDMULH and SQRDMULH: high half of twice the product. Only the square of the lowest number saturates. */
export const doublingMulHigh = (rounding: boolean): Operation2 => (l, a, b) => {
  const { t, esize } = l
  const w = new Lanes(t, (esize * 2) as ESize, 128)
  const half = (h: number): Vec => {
    const p = w.mul(widen(t, esize, a, h, false), widen(t, esize, b, h, false))
    return rounding ? w.roundedShr(p, esize - 1, false) : w.sshr(p, esize - 1)
  }
  const lo = half(0)
  return narrowSaturating(l, lo, l.bits === 128 ? half(1) : lo, false, false)
}
