import type { Builder, Cond, ESize, Value, Vec, VecOp2 } from '../builder.ts'

/** Element size in bits of a `size` field. */
export function esizeOf(size: number): ESize {
  return (8 << size) as ESize
}

/**
 * A vector or scalar Advanced SIMD operation under construction: elements of `esize` bits, of which the lowest `bits`
 * bits of the 128 count (128, 64 for Q = 0, or one element for a scalar instruction). Operations work on all 128 bits;
 * what lies above `bits` is dropped by `write`, and does not saturate.
 *
 * So vector and scalar instructions share one meaning.
 */
export class Lanes {
  readonly t: Builder
  readonly esize: ESize
  readonly bits: number
  private readonly overflow: Vec[] = []
  private readonly conditions: Cond[] = []

  constructor(t: Builder, esize: ESize, bits: number) {
    this.t = t
    this.esize = esize
    this.bits = bits
  }

  get count(): number {
    return this.bits / this.esize
  }

  // ---- constants, in every element
  zero(): Vec {
    return this.t.splat(this.t.imm(0), 64)
  }
  ones(): Vec {
    return this.t.splat(this.t.imm(-1), 64)
  }
  one(): Vec {
    return this.t.splat(this.t.imm(1), this.esize)
  }
  /** The most negative element, 1000...0. */
  minimum(): Vec {
    return this.shl(this.ones(), this.esize - 1)
  }
  /** The most positive element, 0111...1. */
  maximum(): Vec {
    return this.ushr(this.ones(), 1)
  }

  // ---- element-wise operations
  op(op: VecOp2, a: Vec, b: Vec): Vec {
    return this.t.vec2(op, this.esize, a, b)
  }
  add(a: Vec, b: Vec): Vec {
    return this.op('add', a, b)
  }
  sub(a: Vec, b: Vec): Vec {
    return this.op('sub', a, b)
  }
  mul(a: Vec, b: Vec): Vec {
    return this.op('mul', a, b)
  }
  and(a: Vec, b: Vec): Vec {
    return this.op('and', a, b)
  }
  or(a: Vec, b: Vec): Vec {
    return this.op('or', a, b)
  }
  xor(a: Vec, b: Vec): Vec {
    return this.op('xor', a, b)
  }
  /** a & ~b */
  andnot(a: Vec, b: Vec): Vec {
    return this.op('andnot', a, b)
  }
  eq(a: Vec, b: Vec): Vec {
    return this.op('eq', a, b)
  }
  /** Greater than, signed or unsigned. */
  gt(a: Vec, b: Vec, unsigned: boolean): Vec {
    return this.op(unsigned ? 'gtU' : 'gtS', a, b)
  }
  not(a: Vec): Vec {
    return this.t.vec1('not', this.esize, a)
  }
  neg(a: Vec): Vec {
    return this.t.vec1('neg', this.esize, a)
  }
  abs(a: Vec): Vec {
    return this.t.vec1('abs', this.esize, a)
  }
  /** mask ? a : b, bit by bit. */
  select(mask: Vec, a: Vec, b: Vec): Vec {
    return this.t.vecSelect(mask, a, b)
  }
  /** All ones in negative elements, else zero. */
  sign(a: Vec): Vec {
    return this.sshr(a, this.esize - 1)
  }
  /** Shift left, 0 <= n <= esize. */
  shl(a: Vec, n: number): Vec {
    if (n === 0) return a
    return n >= this.esize ? this.zero() : this.t.vecShift('shl', this.esize, a, n)
  }
  /** Logical shift right, 0 <= n <= esize. */
  ushr(a: Vec, n: number): Vec {
    if (n === 0) return a
    return n >= this.esize ? this.zero() : this.t.vecShift('ushr', this.esize, a, n)
  }
  /** Arithmetic shift right, 0 <= n <= esize. */
  sshr(a: Vec, n: number): Vec {
    return n === 0 ? a : this.t.vecShift('sshr', this.esize, a, Math.min(n, this.esize - 1))
  }
  /** Shift right, 1 <= n <= esize, rounding half up: the last bit shifted out is added. */
  roundedShr(a: Vec, n: number, unsigned: boolean): Vec {
    const last = this.and(this.ushr(a, n - 1), this.one())
    return this.add(unsigned ? this.ushr(a, n) : this.sshr(a, n), last)
  }

  // ---- element by element
  /** Element i, zero-extended. */
  u(v: Vec, i: number): Value {
    return this.t.lane(v, i, this.esize)
  }
  /** Element i, sign-extended. */
  s(v: Vec, i: number): Value {
    return this.t.sext(this.t.lane(v, i, this.esize), this.esize)
  }
  /** The vector whose element i is the low bits of `f(i)`, for all elements that count; zero elsewhere. */
  map(f: (i: number) => Value): Vec {
    let v = this.zero()
    for (let i = 0; i < this.count; i++) v = this.t.withLane(v, i, this.esize, f(i))
    return v
  }
  /** Element `index` of v in every element. */
  dup(v: Vec, index: number): Vec {
    return permuteElements(this.t, this.esize, v, v, (_) => index)
  }

  // ---- saturation and the result
  /** Elements where `mask` is not zero have saturated. */
  saturate(mask: Vec): void {
    this.overflow.push(mask)
  }
  saturateIf(c: Cond): void {
    this.conditions.push(c)
  }
  /** Write the result to Vd, zeroes above it, and FPSR.QC. */
  write(Rd: number, v: Vec): void {
    this.flag()
    const t = this.t
    if (this.bits === 128) t.setQ(Rd, v)
    else if (this.bits === 64) t.setQ(Rd, lowHalf(t, v))
    else t.setQ(Rd, t.vec(t.zext(t.lane(v, 0, 64), this.bits), t.imm(0)))
  }
  /** Write a 64-bit result (bits = 64) to the lower (half 0, clearing the upper) or the upper half of Vd. */
  writeHalf(Rd: number, half: number, v: Vec): void {
    if (half === 0) {
      this.write(Rd, v)
      return
    }
    this.flag()
    this.t.setQ(Rd, permuteElements(this.t, 64, this.t.q(Rd), v, (i) => i * 2))
  }
  private flag(): void {
    const t = this.t
    const first = this.overflow[0]
    if (first !== undefined) {
      const all = this.overflow.slice(1).reduce((x, y) => this.or(x, y), first)
      this.conditions.push(
        this.bits === 128 ? t.vecAny(all) : t.ne(t.zext(t.lane(all, 0, 64), this.bits), t.imm(0)),
      )
    }
    const c = this.conditions[0]
    if (c !== undefined) t.saturated(this.conditions.slice(1).reduce((x, y) => t.orC(x, y), c))
  }
}

/**
 * The vector whose element i is element `pick(i)` of the pair a:b, b's elements following a's.
 * A constant permutation, one `vecShuffle`.
 */
export function permuteElements(t: Builder, esize: ESize, a: Vec, b: Vec, pick: (i: number) => number): Vec {
  const bytes = esize / 8
  const indices: number[] = []
  for (let i = 0; i < 16; i++) indices.push(pick(Math.floor(i / bytes)) * bytes + (i % bytes))
  return t.vecShuffle(a, b, indices)
}

/** The lower 64 bits, zeroes above. */
export function lowHalf(t: Builder, v: Vec): Vec {
  return permuteElements(t, 64, v, t.splat(t.imm(0), 64), (i) => 2 * i)
}

/** Elements of `esize` bits of the lower or upper half of v, sign- or zero-extended to twice the size. */
export function widen(t: Builder, esize: ESize, v: Vec, half: number, unsigned: boolean): Vec {
  const first = half * (64 / esize)
  const zero = t.splat(t.imm(0), 64)
  if (unsigned) return permuteElements(t, esize, v, zero, (i) => (i & 1 ? 128 / esize : first + (i >> 1)))
  const high = permuteElements(t, esize, zero, v, (i) => (i & 1 ? 128 / esize + first + (i >> 1) : 0))
  return t.vecShift('sshr', (esize * 2) as ESize, high, esize)
}

/** The low `esize` bits of each element of twice the size, first lo's, then hi's. */
export function narrow(t: Builder, esize: ESize, lo: Vec, hi: Vec): Vec {
  return permuteElements(t, esize, lo, hi, (i) => 2 * i)
}

/**
 * Saturating narrowing to `l.esize` bits of elements of twice the size: the source's range is signed unless
 * `fromUnsigned`, the result's signed unless `toUnsigned`.
 */
export function narrowSaturating(l: Lanes, lo: Vec, hi: Vec, fromUnsigned: boolean, toUnsigned: boolean): Vec {
  const t = l.t
  const w = new Lanes(t, (l.esize * 2) as ESize, 128)
  const top = w.ushr(w.ones(), toUnsigned ? l.esize : l.esize + 1)
  const bottom = toUnsigned ? w.zero() : w.not(top)
  const clamp = (x: Vec): Vec => {
    const below = fromUnsigned ? x : w.select(w.gt(bottom, x, false), bottom, x)
    return w.select(w.gt(below, top, fromUnsigned), top, below)
  }
  const cl = clamp(lo)
  const ch = lo === hi ? cl : clamp(hi)
  const result = narrow(t, l.esize, cl, ch)
  // An element has saturated when clamping changed it; all ones at the wide size stays all ones when narrowed.
  const changed = (x: Vec, y: Vec): Vec => w.not(w.eq(x, y))
  const dl = changed(cl, lo)
  l.saturate(narrow(t, l.esize, dl, lo === hi ? dl : changed(ch, hi)))
  return result
}

/** Number of bits of a vector register that Q selects. */
export function bitsOf(Q: number): number {
  return Q === 1 ? 128 : 64
}
