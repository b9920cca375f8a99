/** Reproducible random operands with a taste for corner values. */
export class Random {
  private state: number

  /** @param seed any 32-bit number. */
  constructor(seed: number) {
    this.state = (seed ^ 0x6d2b79f5) | 0 || 1
    for (let i = 0; i < 8; i++) this.u32()
  }

  /** xorshift32 */
  u32(): number {
    let s = this.state
    s ^= s << 13
    s ^= s >>> 17
    s ^= s << 5
    this.state = s
    return s >>> 0
  }

  /** 0 <= result < n. */
  below(n: number): number {
    return Math.floor((this.u32() / 4294967296) * n)
  }

  chance(probability: number): boolean {
    return this.u32() < probability * 4294967296
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  /** A register value: a corner, a number of random width, or 64 random bits. */
  register(): bigint {
    switch (this.below(6)) {
      case 0:
        return this.pick(corners)
      case 1:
        return BigInt.asUintN(64, this.pick(corners) + BigInt(this.below(5)) - 2n)
      case 2:
        return this.u64() >> BigInt(this.below(64))
      case 3:
        return BigInt.asUintN(64, -(this.u64() >> BigInt(this.below(64))))
      default:
        return this.u64()
    }
  }

  /** Half of a vector register: lanes of one size from that size's corners, or random bits. */
  vectorHalf(): bigint {
    const kind = this.below(8)
    if (kind === 0) return this.u64()
    if (kind === 1) return this.register()
    const bits = ([8, 16, 32, 64] as const)[this.below(4)]!
    let v = 0n
    for (let at = 0; at < 64; at += bits) {
      const lane = kind < 4 ? this.integerLane(bits) : bits === 8 ? this.integerLane(8) : this.floatLane(bits)
      v |= lane << BigInt(at)
    }
    return v
  }

  private integerLane(bits: number): bigint {
    const top = 1n << BigInt(bits - 1)
    return BigInt.asUintN(bits, this.pick([0n, 1n, -1n, top, top - 1n, top + 1n, this.u64(), this.u64() >> 56n]))
  }

  private floatLane(bits: 16 | 32 | 64): bigint {
    const [exponentBits, fractionBits] = ({ 16: [5, 10], 32: [8, 23], 64: [11, 52] } as const)[bits]
    const maximum = (1n << BigInt(exponentBits)) - 1n
    const bias = maximum >> 1n
    const fractionMask = (1n << BigInt(fractionBits)) - 1n
    const exponents = [0n, 1n, maximum, maximum - 1n, bias, bias + BigInt(this.below(70)) - 35n, this.u64() & maximum]
    const exponent = BigInt.asUintN(exponentBits, this.pick(exponents))
    const fraction = this.pick([0n, 1n, fractionMask, 1n << BigInt(fractionBits - 1), this.u64(), this.u64()]) & fractionMask
    const sign = BigInt(this.below(2))
    return (((sign << BigInt(exponentBits)) | exponent) << BigInt(fractionBits)) | fraction
  }
}

const corners: readonly bigint[] = [
  0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n,
  0x7fffffffffffffffn, 0x8000000000000000n, 0xffffffffffffffffn, 0xffffffff80000000n, 0xffffffff00000000n,
  0x5555555555555555n, 0xaaaaaaaaaaaaaaaan, 0x0123456789abcdefn,
]
