import type { Builder, Value } from '../builder.ts'

/** Size in bits of the format that a two-bit `ftype` names: 00 single, 01 double, 11 half. */
export function sizeOf(ftype: number): 16 | 32 | 64 {
  return ftype === 0 ? 32 : ftype === 1 ? 64 : 16
}

/** The formats for which Armv8.0 has arithmetic; half precision needs FEAT_FP16. */
export function singleOrDouble(f: { readonly ftype: number }): boolean {
  return f.ftype < 2
}

/** Scalar register n of `size` bits, zero-extended. */
export function readScalar(t: Builder, n: number, size: 16 | 32 | 64): Value {
  return t.lane(t.q(n), 0, size)
}

/** Write a scalar (zero-extended from its size) to register n; the rest of the vector register becomes zero. */
export function writeScalar(t: Builder, n: number, v: Value): void {
  t.setQ(n, t.vec(v, t.imm(0)))
}

/** -v in a format of `size` bits: the sign turned, NaNs included. */
export function negated(t: Builder, v: Value, size: 16 | 32 | 64): Value {
  return t.xor(v, t.imm64(1n << BigInt(size - 1)))
}
