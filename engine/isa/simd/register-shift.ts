import type { Value, Vec } from '../builder.ts'
import type { Operation2 } from './integer.ts'
import type { Lanes } from './lanes.ts'

/** Shifts by a register: the amount is the signed low byte of each element of b, negative = right. */
export interface RegisterShift {
  readonly unsigned: boolean
  readonly rounding: boolean
  readonly saturating: boolean
}

export const shiftByRegister = (how: RegisterShift): Operation2 => (l, a, b) => {
  if (!how.rounding && !how.saturating && l.esize < 64) return shiftAll(l, how.unsigned, a, b)
  return l.map((i) => shiftElement(l, how, how.unsigned ? l.u(a, i) : l.s(a, i), l.u(b, i)))
}

/**
 * USHL, SSHL of all elements at once: for each bit k of the amount, those elements that have it are shifted by 2^k.
 * Two doublewords are cheaper one by one.
 */
function shiftAll(l: Lanes, unsigned: boolean, a: Vec, b: Vec): Vec {
  const { esize } = l
  const left = l.sshr(l.shl(b, esize - 8), esize - 8)
  const right = l.neg(left)
  const last = l.t.splat(l.t.imm(esize - 1), esize)
  const step = (v: Vec, amount: Vec, n: number, shifted: Vec): Vec =>
    l.select(l.sign(l.shl(amount, esize - 1 - n)), shifted, v)
  let toLeft = a
  let toRight = a
  for (let k = 0; 1 << k < esize; k++) {
    toLeft = step(toLeft, left, k, l.shl(toLeft, 1 << k))
    toRight = step(toRight, right, k, unsigned ? l.ushr(toRight, 1 << k) : l.sshr(toRight, 1 << k))
  }
  // The amount -128 of bytes is its own negative: unsigned, 128 is out of range as it should be.
  const allRight = unsigned ? l.zero() : l.sign(a)
  return l.select(
    l.sign(left),
    l.select(l.gt(right, last, true), allRight, toRight),
    l.andnot(toLeft, l.gt(left, last, true)),
  )
}

function shiftElement(l: Lanes, { unsigned, rounding, saturating }: RegisterShift, x: Value, amount: Value): Value {
  const { t, esize } = l
  const zero = t.imm(0)
  const left = t.sext(amount, 8)
  const right = t.sub(zero, left)
  const isRight = t.ltS(left, zero)

  // Right by 1..128. `shr` takes any amount up to 128.
  const shr = (n: Value): Value => {
    const small = t.ltU(n, t.imm(64))
    return unsigned ? t.select(small, t.lsr(x, n), zero) : t.asr(x, t.select(small, n, t.imm(63)))
  }
  let shiftedRight = shr(right)
  if (rounding) shiftedRight = t.add(shiftedRight, t.and(shr(t.sub(right, t.imm(1))), t.imm(1)))

  // Left by 0..127.
  const fits = t.ltS(left, t.imm(esize))
  const raw = t.shl(x, left)
  let shiftedLeft = t.select(fits, raw, zero)
  if (saturating) {
    const kept = unsigned ? t.zext(raw, esize) : t.sext(raw, esize)
    const back = unsigned ? t.lsr(kept, left) : t.asr(kept, left)
    const exact = t.orC(t.andC(fits, t.eq(back, x)), t.eq(x, zero))
    // All ones unsigned; signed: the sign decides between 0111...1 and 1000...0.
    const highest = t.lsr(t.imm(-1), t.imm(65 - esize))
    const limit = unsigned ? t.imm(-1) : t.xor(t.asr(x, t.imm(63)), highest)
    shiftedLeft = t.select(exact, t.select(fits, kept, zero), limit)
    l.saturateIf(t.andC(t.notC(isRight), t.notC(exact)))
  }
  return t.select(isRight, shiftedRight, shiftedLeft)
}
