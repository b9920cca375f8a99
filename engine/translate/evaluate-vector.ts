import type { ESize, VecOp1, VecOp2, VecShift } from '../isa/builder.ts'

/** Lane-wise vector operations of tier 0. Vectors are pairs of words in `slots`; d, a, b are indices of the first. */

type Lane2 = (a: bigint, b: bigint, esize: ESize) => bigint

const signed = (v: bigint, esize: ESize) => BigInt.asIntN(esize, v)
const ones = (esize: ESize) => (1n << BigInt(esize)) - 1n

function clampS(v: bigint, esize: ESize): bigint {
  const max = (1n << BigInt(esize - 1)) - 1n
  return v > max ? max : v < -max - 1n ? -max - 1n : v
}

const LANE2: Record<Exclude<VecOp2, 'and' | 'or' | 'xor' | 'andnot'>, Lane2> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  eq: (a, b, e) => (a === b ? ones(e) : 0n),
  gtS: (a, b, e) => (signed(a, e) > signed(b, e) ? ones(e) : 0n),
  geS: (a, b, e) => (signed(a, e) >= signed(b, e) ? ones(e) : 0n),
  gtU: (a, b, e) => (a > b ? ones(e) : 0n),
  geU: (a, b, e) => (a >= b ? ones(e) : 0n),
  minS: (a, b, e) => (signed(a, e) < signed(b, e) ? a : b),
  maxS: (a, b, e) => (signed(a, e) > signed(b, e) ? a : b),
  minU: (a, b) => (a < b ? a : b),
  maxU: (a, b) => (a > b ? a : b),
  addSatS: (a, b, e) => clampS(signed(a, e) + signed(b, e), e),
  subSatS: (a, b, e) => clampS(signed(a, e) - signed(b, e), e),
  addSatU: (a, b, e) => (a + b > ones(e) ? ones(e) : a + b),
  subSatU: (a, b) => (a > b ? a - b : 0n),
}

export function vec2(slots: BigUint64Array, op: VecOp2, esize: ESize, d: number, a: number, b: number): void {
  for (let w = 0; w < 2; w++) {
    const x = slots[a + w]!
    const y = slots[b + w]!
    switch (op) {
      case 'and': slots[d + w] = x & y; break
      case 'or': slots[d + w] = x | y; break
      case 'xor': slots[d + w] = x ^ y; break
      case 'andnot': slots[d + w] = x & ~y; break
      default: slots[d + w] = eachLane(x, y, esize, LANE2[op])
    }
  }
}

function eachLane(x: bigint, y: bigint, esize: ESize, f: Lane2): bigint {
  let out = 0n
  for (let at = 0; at < 64; at += esize) {
    const shift = BigInt(at)
    const r = f(BigInt.asUintN(esize, x >> shift), BigInt.asUintN(esize, y >> shift), esize)
    out |= BigInt.asUintN(esize, r) << shift
  }
  return out
}

function popcount(v: bigint): bigint {
  let n = 0n
  for (; v !== 0n; v &= v - 1n) n++
  return n
}

export function vec1(slots: BigUint64Array, op: VecOp1, esize: ESize, d: number, a: number): void {
  for (let w = 0; w < 2; w++) {
    const x = slots[a + w]!
    switch (op) {
      case 'not': slots[d + w] = ~x; break
      case 'neg': slots[d + w] = eachLane(x, x, esize, (v) => -v); break
      case 'abs': slots[d + w] = eachLane(x, x, esize, (v, _, e) => (signed(v, e) < 0n ? -v : v)); break
      case 'popcount': slots[d + w] = eachLane(x, x, esize, popcount); break
    }
  }
}

export function vecShift(slots: BigUint64Array, op: VecShift, esize: ESize, d: number, a: number, amount: number): void {
  const n = BigInt(amount)
  const f: Lane2 =
    op === 'shl' ? (v) => v << n : op === 'ushr' ? (v) => v >> n : (v, _, e) => signed(v, e) >> n
  for (let w = 0; w < 2; w++) slots[d + w] = eachLane(slots[a + w]!, 0n, esize, f)
}
