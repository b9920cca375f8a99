import { type Format, type FpEnvironment, Fpsr, Rounding, infinity, invalid, roundingOf, zero } from './format.ts'
import { bitLength, integerSqrt, round } from './round.ts'
import { Kind, type Operand, pack, processNaN, processNaNs, unpack } from './unpack.ts'

/** Sum of two finite operands; an exact zero takes the sign the rounding mode gives it unless both are alike. */
function sum(f: Format, a: Operand, b: Operand, env: FpEnvironment): bigint {
  const mode = roundingOf(env)
  if (a.kind === Kind.zero && b.kind === Kind.zero && a.sign === b.sign) return zero(f, a.sign)
  const exponent =
    a.kind === Kind.zero ? b.exponent : b.kind === Kind.zero ? a.exponent : Math.min(a.exponent, b.exponent)
  const x = a.kind === Kind.zero ? 0n : a.mantissa << BigInt(a.exponent - exponent)
  const y = b.kind === Kind.zero ? 0n : b.mantissa << BigInt(b.exponent - exponent)
  const total = (a.sign ? -x : x) + (b.sign ? -y : y)
  if (total === 0n) return zero(f, mode === Rounding.negInf ? 1 : 0)
  return round(f, total < 0n ? 1 : 0, total < 0n ? -total : total, exponent, mode, env)
}

/** FPAdd, or with `subtract` FPSub. A NaN second operand keeps its sign. */
function addOrSubtract(f: Format, a: bigint, b: bigint, env: FpEnvironment, subtract: boolean): bigint {
  const x = unpack(f, a, env)
  let y = unpack(f, b, env)
  const nan = processNaNs(f, env, x, y)
  if (nan !== null) return nan
  if (subtract) y = { ...y, sign: y.sign ^ 1 }
  if (x.kind === Kind.infinite) {
    return y.kind === Kind.infinite && x.sign !== y.sign ? invalid(f, env) : infinity(f, x.sign)
  }
  if (y.kind === Kind.infinite) return infinity(f, y.sign)
  return sum(f, x, y, env)
}

/** FPAdd. */
export function add(f: Format, a: bigint, b: bigint, env: FpEnvironment): bigint {
  return addOrSubtract(f, a, b, env, false)
}

/** FPSub. */
export function sub(f: Format, a: bigint, b: bigint, env: FpEnvironment): bigint {
  return addOrSubtract(f, a, b, env, true)
}

/** FPMul, or with `extended` FPMulX, whose infinity times zero is 2.0. */
export function mul(f: Format, a: bigint, b: bigint, env: FpEnvironment, extended = false): bigint {
  const x = unpack(f, a, env)
  const y = unpack(f, b, env)
  const nan = processNaNs(f, env, x, y)
  if (nan !== null) return nan
  const sign = x.sign ^ y.sign
  if (x.kind === Kind.infinite || y.kind === Kind.infinite) {
    if (x.kind !== Kind.zero && y.kind !== Kind.zero) return infinity(f, sign)
    return extended ? (BigInt((f.maxField + 1) >> 1) << BigInt(f.fraction)) | zero(f, sign) : invalid(f, env)
  }
  if (x.kind === Kind.zero || y.kind === Kind.zero) return zero(f, sign)
  return round(f, sign, x.mantissa * y.mantissa, x.exponent + y.exponent, roundingOf(env), env)
}

/** FPDiv. */
export function div(f: Format, a: bigint, b: bigint, env: FpEnvironment): bigint {
  const x = unpack(f, a, env)
  const y = unpack(f, b, env)
  const nan = processNaNs(f, env, x, y)
  if (nan !== null) return nan
  const sign = x.sign ^ y.sign
  if (x.kind === y.kind && x.kind !== Kind.finite) return invalid(f, env)
  if (x.kind === Kind.infinite) return infinity(f, sign)
  if (y.kind === Kind.zero) {
    env.fpsr |= Fpsr.DZC
    return infinity(f, sign)
  }
  if (x.kind === Kind.zero || y.kind === Kind.infinite) return zero(f, sign)
  const shift = Math.max(0, f.fraction + 4 + bitLength(y.mantissa) - bitLength(x.mantissa))
  const dividend = x.mantissa << BigInt(shift)
  const quotient = dividend / y.mantissa
  const tail = quotient * y.mantissa === dividend ? 0n : 1n
  return round(f, sign, (quotient << 1n) | tail, x.exponent - y.exponent - shift - 1, roundingOf(env), env)
}

/** FPSqrt. */
export function sqrt(f: Format, a: bigint, env: FpEnvironment): bigint {
  const x = unpack(f, a, env)
  if (x.kind >= Kind.quiet) return processNaN(f, x, env)
  if (x.kind === Kind.zero) return zero(f, x.sign)
  if (x.sign) return invalid(f, env)
  if (x.kind === Kind.infinite) return infinity(f, 0)
  let shift = Math.max(0, 2 * f.fraction + 8 - bitLength(x.mantissa))
  if ((x.exponent - shift) & 1) shift++
  const square = x.mantissa << BigInt(shift)
  const root = integerSqrt(square)
  const tail = root * root === square ? 0n : 1n
  return round(f, 0, (root << 1n) | tail, (x.exponent - shift) / 2 - 1, roundingOf(env), env)
}

/** A key that orders the numbers (not NaNs) of one format; both zeros are 0. */
export function order(f: Format, x: Operand): bigint {
  if (x.kind === Kind.zero) return 0n
  return x.sign ? -(x.bits ^ f.signBit) : x.bits
}

/** FPMax, FPMin, FPMaxNum, FPMinNum: `number` makes a lone quiet NaN lose. */
export function extremum(f: Format, a: bigint, b: bigint, env: FpEnvironment, max: boolean, number: boolean): bigint {
  let x = unpack(f, a, env)
  let y = unpack(f, b, env)
  if (number && (x.kind === Kind.quiet) !== (y.kind === Kind.quiet)) {
    const loser = unpack(f, infinity(f, max ? 1 : 0), env)
    if (x.kind === Kind.quiet) x = loser
    else y = loser
  }
  const nan = processNaNs(f, env, x, y)
  if (nan !== null) return nan
  if (x.kind === Kind.zero && y.kind === Kind.zero) return zero(f, max ? x.sign & y.sign : x.sign | y.sign)
  return pack(f, order(f, x) < order(f, y) === max ? y : x)
}
