import { type Format, type FpEnvironment, Rounding, infinity, invalid, roundingOf, zero } from './format.ts'
import { round } from './round.ts'
import { Kind, type Operand, processNaNs, unpack } from './unpack.ts'

/** The exact value addend + x * y, times 2^scale, rounded once. All operands finite; `addend` may be zero. */
function roundedSum(f: Format, addend: Operand, x: Operand, y: Operand, scale: number, env: FpEnvironment): bigint {
  const mode = roundingOf(env)
  const sign = x.sign ^ y.sign
  const product = x.mantissa * y.mantissa
  const productExponent = x.exponent + y.exponent
  if (addend.kind === Kind.zero && product === 0n && addend.sign === sign) return zero(f, sign)
  const exponent =
    product === 0n
      ? addend.exponent
      : addend.kind === Kind.zero
        ? productExponent
        : Math.min(addend.exponent, productExponent)
  const p = product === 0n ? 0n : product << BigInt(productExponent - exponent)
  const a = addend.kind === Kind.zero ? 0n : addend.mantissa << BigInt(addend.exponent - exponent)
  const total = (addend.sign ? -a : a) + (sign ? -p : p)
  if (total === 0n) return zero(f, mode === Rounding.negInf ? 1 : 0)
  return round(f, total < 0n ? 1 : 0, total < 0n ? -total : total, exponent + scale, mode, env)
}

/** FPMulAdd(addend, a, b): addend + a * b with one rounding. NaNs are picked in that order of operands. */
export function mulAdd(f: Format, addend: bigint, a: bigint, b: bigint, env: FpEnvironment): bigint {
  const c = unpack(f, addend, env)
  const x = unpack(f, a, env)
  const y = unpack(f, b, env)
  const infiniteProduct = x.kind === Kind.infinite || y.kind === Kind.infinite
  const undefinedProduct = infiniteProduct && (x.kind === Kind.zero || y.kind === Kind.zero)
  const nan = processNaNs(f, env, c, x, y)
  if (nan !== null) return c.kind === Kind.quiet && undefinedProduct ? invalid(f, env) : nan
  if (undefinedProduct) return invalid(f, env)
  const sign = x.sign ^ y.sign
  if (c.kind === Kind.infinite) return infiniteProduct && c.sign !== sign ? invalid(f, env) : infinity(f, c.sign)
  if (infiniteProduct) return infinity(f, sign)
  return roundedSum(f, c, x, y, 0, env)
}

/**
 * FPRecipStepFused (2 - a * b) and, with `sqrt`, FPRSqrtStepFused ((3 - a * b) / 2), each rounded once.
 * The first operand is negated before NaNs are looked for, so a NaN there comes out with its sign turned.
 */
export function newtonStep(f: Format, a: bigint, b: bigint, env: FpEnvironment, sqrt: boolean): bigint {
  const x = unpack(f, a ^ f.signBit, env)
  const y = unpack(f, b, env)
  const nan = processNaNs(f, env, x, y)
  if (nan !== null) return nan
  const constant: Operand = { kind: Kind.finite, sign: 0, mantissa: sqrt ? 3n : 2n, exponent: 0, bits: 0n }
  if (x.kind === Kind.infinite || y.kind === Kind.infinite) {
    if (x.kind !== Kind.zero && y.kind !== Kind.zero) return infinity(f, x.sign ^ y.sign)
    return round(f, 0, constant.mantissa, sqrt ? -1 : 0, Rounding.zero, env)
  }
  return roundedSum(f, constant, x, y, sqrt ? -1 : 0, env)
}
