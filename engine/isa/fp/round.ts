import { type Format, type FpEnvironment, Fpcr, Fpsr, Rounding, type RoundingMode, overflowed, zero } from './format.ts'

/** Number of significant bits of a non-negative integer. */
export function bitLength(n: bigint): number {
  if (n === 0n) return 0
  const hex = n.toString(16)
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28
}

/** How a discarded part compares with half a unit in the last place. */
const RoundingError = { none: 0, belowHalf: 1, half: 2, aboveHalf: 3 } as const

function errorOf(rest: bigint, shift: number): number {
  if (rest === 0n) return RoundingError.none
  const middle = 1n << BigInt(shift - 1)
  return rest < middle ? RoundingError.belowHalf : rest === middle ? RoundingError.half : RoundingError.aboveHalf
}

/** Does a magnitude that lost `error` and now ends in `odd` go up by one? */
function roundsUp(error: number, odd: boolean, sign: number, mode: RoundingMode): boolean {
  switch (mode) {
    case Rounding.tieEven:
      return error === RoundingError.aboveHalf || (error === RoundingError.half && odd)
    case Rounding.tieAway:
      return error >= RoundingError.half
    case Rounding.posInf:
      return error !== RoundingError.none && sign === 0
    case Rounding.negInf:
      return error !== RoundingError.none && sign === 1
    default:
      return false
  }
}

/**
 * FPRound: (-1)^sign * mantissa * 2^exponent in format `f`, with OFC, UFC and IXC. With `converting` it is FPRoundCV
 * (FZ16 off, AHP counts). Tininess is judged before rounding; a result flushed by FZ sets UFC alone.
 * @param mantissa positive; a caller with an infinite tail folds it into the lowest bit, at least two bits below
 *   the last place of the result.
 */
export function round(
  f: Format,
  sign: number,
  mantissa: bigint,
  exponent: number,
  mode: RoundingMode,
  env: FpEnvironment,
  converting = false,
): bigint {
  const top = exponent + bitLength(mantissa) - 1
  const tiny = top < f.minExponent
  if (tiny && env.fpcr & (f.bits === 16 ? (converting ? 0 : Fpcr.FZ16) : Fpcr.FZ)) {
    env.fpsr |= Fpsr.UFC
    return zero(f, sign)
  }
  const shift = (tiny ? f.minExponent : top) - f.fraction - exponent
  let integer: bigint
  let error: number = RoundingError.none
  if (shift <= 0) integer = mantissa << BigInt(-shift)
  else {
    integer = mantissa >> BigInt(shift)
    error = errorOf(mantissa - (integer << BigInt(shift)), shift)
  }
  if (tiny && error !== RoundingError.none) env.fpsr |= Fpsr.UFC
  if (roundsUp(error, (integer & 1n) === 1n, sign, mode)) integer++
  else if (error !== RoundingError.none && mode === Rounding.odd) integer |= 1n
  // A carry out of the fraction moves into the exponent field by itself, also from denormal to normal.
  const magnitude = integer + (tiny ? 0n : BigInt(top - f.minExponent) << BigInt(f.fraction))
  if (f.bits === 16 && converting && env.fpcr & Fpcr.AHP) {
    if (magnitude >= f.signBit) {
      env.fpsr |= Fpsr.IOC
      return f.all & (sign ? f.all : f.signBit - 1n)
    }
  } else if (magnitude >= f.infinity) {
    env.fpsr |= Fpsr.OFC | Fpsr.IXC
    return overflowed(f, sign, mode)
  }
  if (error !== RoundingError.none) env.fpsr |= Fpsr.IXC
  return magnitude | zero(f, sign)
}

/** Magnitude and exactness of mantissa * 2^exponent rounded to an integer. */
export function roundToInteger(
  sign: number,
  mantissa: bigint,
  exponent: number,
  mode: RoundingMode,
): { magnitude: bigint; exact: boolean } {
  if (exponent >= 0) return { magnitude: mantissa << BigInt(exponent), exact: true }
  let magnitude = mantissa >> BigInt(-exponent)
  const error = errorOf(mantissa - (magnitude << BigInt(-exponent)), -exponent)
  if (roundsUp(error, (magnitude & 1n) === 1n, sign, mode)) magnitude++
  return { magnitude, exact: error === RoundingError.none }
}

/** Integer square root, rounded down. */
export function integerSqrt(n: bigint): bigint {
  if (n === 0n) return 0n
  let x = 1n << BigInt((bitLength(n) + 1) >> 1)
  for (;;) {
    const y = (x + n / x) >> 1n
    if (y >= x) return x
    x = y
  }
}
