import { type Format, type FpEnvironment, Fpcr, Fpsr, zero } from './format.ts'

/** FPType. Anything from `quiet` up is a NaN. */
export const Kind = { zero: 0, finite: 1, infinite: 2, quiet: 3, signalling: 4 } as const

/** A number taken apart: (-1)^sign * mantissa * 2^exponent; mantissa is 0n for zeros, infinities and NaNs. */
export interface Operand {
  readonly kind: number
  readonly sign: number
  readonly mantissa: bigint
  readonly exponent: number
  readonly bits: bigint
}

/**
 * FPUnpack, or with `converting` FPUnpackCV, in which FZ16 is off and AHP counts.
 * Denormals flushed on input accumulate IDC (never for half precision).
 */
export function unpack(f: Format, bits: bigint, env: FpEnvironment, converting = false): Operand {
  bits &= f.all
  const sign = bits & f.signBit ? 1 : 0
  const field = Number((bits >> BigInt(f.fraction)) & BigInt(f.maxField))
  const fraction = bits & f.fractionMask
  if (field === 0) {
    if (fraction === 0n) return { kind: Kind.zero, sign, mantissa: 0n, exponent: 0, bits }
    if (f.bits === 16) {
      if (!converting && env.fpcr & Fpcr.FZ16) return { kind: Kind.zero, sign, mantissa: 0n, exponent: 0, bits }
    } else if (env.fpcr & Fpcr.FZ) {
      env.fpsr |= Fpsr.IDC
      return { kind: Kind.zero, sign, mantissa: 0n, exponent: 0, bits }
    }
    return { kind: Kind.finite, sign, mantissa: fraction, exponent: f.minExponent - f.fraction, bits }
  }
  if (field === f.maxField && !(converting && f.bits === 16 && env.fpcr & Fpcr.AHP)) {
    const kind = fraction === 0n ? Kind.infinite : fraction & f.quietBit ? Kind.quiet : Kind.signalling
    return { kind, sign, mantissa: 0n, exponent: 0, bits }
  }
  const exponent = f.minExponent + field - 1 - f.fraction
  return { kind: Kind.finite, sign, mantissa: fraction | (f.fractionMask + 1n), exponent, bits }
}

/** FPProcessNaN: quieten, or the default NaN under FPCR.DN. */
export function processNaN(f: Format, a: Operand, env: FpEnvironment): bigint {
  if (a.kind === Kind.signalling) env.fpsr |= Fpsr.IOC
  return env.fpcr & Fpcr.DN ? f.defaultNaN : a.bits | f.quietBit
}

/** FPProcessNaNs and FPProcessNaNs3: the first signalling NaN, else the first quiet one, else null. */
export function processNaNs(f: Format, env: FpEnvironment, a: Operand, b: Operand, c?: Operand): bigint | null {
  if (a.kind < Kind.quiet && b.kind < Kind.quiet && (c === undefined || c.kind < Kind.quiet)) return null
  for (const kind of [Kind.signalling, Kind.quiet]) {
    if (a.kind === kind) return processNaN(f, a, env)
    if (b.kind === kind) return processNaN(f, b, env)
    if (c?.kind === kind) return processNaN(f, c, env)
  }
  return null
}

/** The number an operand stands for, back in its format (a flushed denormal comes out as zero). */
export function pack(f: Format, a: Operand): bigint {
  return a.kind === Kind.zero ? zero(f, a.sign) : a.bits
}
