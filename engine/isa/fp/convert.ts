import {
  type Format, type FpEnvironment, Fpcr, Fpsr, Rounding, type RoundingMode, infinity, roundingOf, zero,
} from './format.ts'
import { round, roundToInteger } from './round.ts'
import { Kind, processNaN, unpack } from './unpack.ts'

/** FPConvert from format `from` to format `to`; `mode` overrides FPCR's rounding (FCVTXN rounds to odd). */
export function convert(from: Format, to: Format, a: bigint, env: FpEnvironment, mode = roundingOf(env)): bigint {
  const x = unpack(from, a, env, true)
  const alternative = to.bits === 16 && (env.fpcr & Fpcr.AHP) !== 0
  if (x.kind >= Kind.quiet) {
    if (x.kind === Kind.signalling || alternative) env.fpsr |= Fpsr.IOC
    if (alternative) return zero(to, x.sign)
    if (env.fpcr & Fpcr.DN) return to.defaultNaN
    const payload = x.bits & from.fractionMask
    const moved =
      to.fraction >= from.fraction
        ? payload << BigInt(to.fraction - from.fraction)
        : payload >> BigInt(from.fraction - to.fraction)
    return zero(to, x.sign) | to.infinity | to.quietBit | moved
  }
  if (x.kind === Kind.infinite) {
    if (!alternative) return infinity(to, x.sign)
    env.fpsr |= Fpsr.IOC
    return zero(to, x.sign) | (to.signBit - 1n)
  }
  if (x.kind === Kind.zero) return zero(to, x.sign)
  return round(to, x.sign, x.mantissa, x.exponent, mode, env, true)
}

/** FPRoundInt; `exact`: an inexact result accumulates IXC (FRINTX). */
export function roundInt(f: Format, a: bigint, env: FpEnvironment, mode: RoundingMode, exact: boolean): bigint {
  const x = unpack(f, a, env)
  if (x.kind >= Kind.quiet) return processNaN(f, x, env)
  if (x.kind === Kind.infinite) return infinity(f, x.sign)
  if (x.kind === Kind.zero) return zero(f, x.sign)
  if (x.exponent >= 0) return x.bits
  const result = roundToInteger(x.sign, x.mantissa, x.exponent, mode)
  if (exact && !result.exact) env.fpsr |= Fpsr.IXC
  return result.magnitude === 0n ? zero(f, x.sign) : round(f, x.sign, result.magnitude, 0, Rounding.zero, env)
}

/**
 * FPToFixed: an integer of `width` bits, value * 2^fbits rounded by `mode` and saturated, zero-extended to 64 bits.
 * NaN gives 0; NaNs and what does not fit are Invalid Operations.
 */
export function toFixed(
  f: Format,
  a: bigint,
  env: FpEnvironment,
  width: number,
  signed: boolean,
  mode: RoundingMode,
  fbits: number,
): bigint {
  const x = unpack(f, a, env)
  if (x.kind === Kind.zero) return 0n
  if (x.kind >= Kind.quiet) {
    env.fpsr |= Fpsr.IOC
    return 0n
  }
  const highest = (1n << BigInt(signed ? width - 1 : width)) - 1n
  const lowest = signed ? -highest - 1n : 0n
  if (x.kind === Kind.infinite) {
    env.fpsr |= Fpsr.IOC
    return BigInt.asUintN(width, x.sign ? lowest : highest)
  }
  const { magnitude, exact } = roundToInteger(x.sign, x.mantissa, x.exponent + fbits, mode)
  const value = x.sign ? -magnitude : magnitude
  if (value > highest || value < lowest) {
    env.fpsr |= Fpsr.IOC
    return BigInt.asUintN(width, value > highest ? highest : lowest)
  }
  if (!exact) env.fpsr |= Fpsr.IXC
  return BigInt.asUintN(width, value)
}

/** FixedToFP: the low `width` bits of `a` as an integer, divided by 2^fbits, in format `f`. */
export function fromFixed(
  f: Format,
  a: bigint,
  env: FpEnvironment,
  width: number,
  signed: boolean,
  fbits: number,
): bigint {
  const value = signed ? BigInt.asIntN(width, a) : BigInt.asUintN(width, a)
  if (value === 0n) return 0n
  return round(f, value < 0n ? 1 : 0, value < 0n ? -value : value, -fbits, roundingOf(env), env)
}
