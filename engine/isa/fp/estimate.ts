import {
  type Format, type FpEnvironment, Fpcr, Fpsr, infinity, invalid, overflowed, roundingOf, zero,
} from './format.ts'
import { bitLength } from './round.ts'
import { Kind, processNaN, unpack } from './unpack.ts'

/** RecipEstimate: 256 <= a < 512, a/512 in [0.5, 1); the result / 256 is about its reciprocal. */
function recipEstimate(a: number): number {
  const b = Math.floor(2 ** 19 / (a * 2 + 1))
  return (b + 1) >> 1
}

/** RecipSqrtEstimate: 128 <= a < 512, a/512 in [0.25, 1); the result / 256 is about its reciprocal square root. */
function recipSqrtEstimate(a: number): number {
  a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2
  let b = 512
  while (a * (b + 1) * (b + 1) < 2 ** 28) b++
  return (b + 1) >> 1
}

/** Exponent field and 8 leading fraction bits of a finite number, denormals normalised to a field below 1. */
function normalised(f: Format, mantissa: bigint, exponent: number): { field: number; leading: number } {
  const length = bitLength(mantissa)
  const field = exponent + length - 1 - f.minExponent + 1
  const aligned = mantissa << BigInt(f.fraction + 1 - length)
  return { field, leading: Number((aligned & f.fractionMask) >> BigInt(f.fraction - 8)) }
}

/** Are results below the smallest normal number flushed? */
function flushes(f: Format, env: FpEnvironment): boolean {
  return (env.fpcr & (f.bits === 16 ? Fpcr.FZ16 : Fpcr.FZ)) !== 0
}

/** FPRecipEstimate. */
export function recpe(f: Format, a: bigint, env: FpEnvironment): bigint {
  const x = unpack(f, a, env)
  if (x.kind >= Kind.quiet) return processNaN(f, x, env)
  if (x.kind === Kind.infinite) return zero(f, x.sign)
  if (x.kind === Kind.zero) {
    env.fpsr |= Fpsr.DZC
    return infinity(f, x.sign)
  }
  const { field, leading } = normalised(f, x.mantissa, x.exponent)
  // Fields below -1 are magnitudes under 2^(minExponent - 2), whose reciprocal overflows.
  if (field < -1) {
    env.fpsr |= Fpsr.OFC | Fpsr.IXC
    return overflowed(f, x.sign, roundingOf(env))
  }
  const resultField = f.maxField - 2 - field
  if (resultField < 1 && flushes(f, env)) {
    env.fpsr |= Fpsr.UFC
    return zero(f, x.sign)
  }
  const eight = BigInt(recipEstimate(256 | leading) & 255) << BigInt(f.fraction - 8)
  const significand = (f.fractionMask + 1n) | eight
  const magnitude =
    resultField >= 1 ? (BigInt(resultField) << BigInt(f.fraction)) | eight : significand >> BigInt(1 - resultField)
  return magnitude | zero(f, x.sign)
}

/** FPRSqrtEstimate. */
export function rsqrte(f: Format, a: bigint, env: FpEnvironment): bigint {
  const x = unpack(f, a, env)
  if (x.kind >= Kind.quiet) return processNaN(f, x, env)
  if (x.kind === Kind.zero) {
    env.fpsr |= Fpsr.DZC
    return infinity(f, x.sign)
  }
  if (x.sign) return invalid(f, env)
  if (x.kind === Kind.infinite) return 0n
  const { field, leading } = normalised(f, x.mantissa, x.exponent)
  const scaled = field & 1 ? 128 | (leading >> 1) : 256 | leading
  const bias = (f.maxField - 1) / 2
  const resultField = Math.floor((3 * bias - 1 - field) / 2)
  const eight = BigInt(recipSqrtEstimate(scaled) & 255) << BigInt(f.fraction - 8)
  return (BigInt(resultField) << BigInt(f.fraction)) | eight
}

/** FPRecpX: a power of two near the reciprocal, by turning the exponent over. */
export function recpx(f: Format, a: bigint, env: FpEnvironment): bigint {
  const x = unpack(f, a, env)
  if (x.kind >= Kind.quiet) return processNaN(f, x, env)
  const field = (x.bits >> BigInt(f.fraction)) & BigInt(f.maxField)
  const result = field === 0n ? BigInt(f.maxField - 1) : BigInt(f.maxField) - field
  return (result << BigInt(f.fraction)) | zero(f, x.sign)
}

/** UnsignedRecipEstimate on a 32-bit fixed-point fraction. */
export function urecpe(a: bigint): bigint {
  const n = Number(BigInt.asUintN(32, a))
  return n < 2 ** 31 ? 0xffffffffn : BigInt(recipEstimate(n >>> 23)) << 23n
}

/** UnsignedRSqrtEstimate on a 32-bit fixed-point fraction. */
export function ursqrte(a: bigint): bigint {
  const n = Number(BigInt.asUintN(32, a))
  return n < 2 ** 30 ? 0xffffffffn : BigInt(recipSqrtEstimate(n >>> 23)) << 23n
}
