/** The floating-point formats of AArch64 and the bits of FPCR and FPSR (Arm ARM A1.5, C5.2.7, C5.2.8). */

/** FPCR and FPSR as the operations see them; `fpsr` accumulates. Both unsigned 32-bit. */
export interface FpEnvironment {
  fpcr: number
  fpsr: number
}

/** FPCR bits. */
export const Fpcr = {
  FZ16: 1 << 19,
  RModeShift: 22,
  FZ: 1 << 24,
  DN: 1 << 25,
  AHP: 1 << 26,
} as const

/** FPSR cumulative exception bits. */
export const Fpsr = { IOC: 1, DZC: 2, OFC: 4, UFC: 8, IXC: 16, IDC: 128 } as const

/** Rounding modes; 0..3 as FPCR.RMode encodes them. */
export const Rounding = { tieEven: 0, posInf: 1, negInf: 2, zero: 3, tieAway: 4, odd: 5 } as const
export type RoundingMode = 0 | 1 | 2 | 3 | 4 | 5

export interface Format {
  readonly bits: 16 | 32 | 64
  /** Fraction bits. */
  readonly fraction: number
  /** Exponent of the smallest normal number, unbiased. */
  readonly minExponent: number
  /** Largest exponent field, all ones. */
  readonly maxField: number
  readonly signBit: bigint
  readonly fractionMask: bigint
  /** Most significant fraction bit: set in quiet NaNs. */
  readonly quietBit: bigint
  readonly infinity: bigint
  readonly maxNormal: bigint
  readonly defaultNaN: bigint
  readonly all: bigint
}

function format(bits: 16 | 32 | 64, exponentBits: number): Format {
  const fraction = bits - 1 - exponentBits
  const maxField = 2 ** exponentBits - 1
  const infinity = BigInt(maxField) << BigInt(fraction)
  const quietBit = 1n << BigInt(fraction - 1)
  return {
    bits,
    fraction,
    minExponent: 2 - 2 ** (exponentBits - 1),
    maxField,
    signBit: 1n << BigInt(bits - 1),
    fractionMask: (1n << BigInt(fraction)) - 1n,
    quietBit,
    infinity,
    maxNormal: infinity - 1n,
    defaultNaN: infinity | quietBit,
    all: (1n << BigInt(bits)) - 1n,
  }
}

export const half = format(16, 5)
export const single = format(32, 8)
export const double = format(64, 11)

/** @throws RangeError for a size that is not 16, 32 or 64. */
export function formatOf(bits: number): Format {
  if (bits === 32) return single
  if (bits === 64) return double
  if (bits === 16) return half
  throw new RangeError(`no floating-point format of ${bits} bits`)
}

/** FPCR.RMode. */
export function roundingOf(env: FpEnvironment): RoundingMode {
  return ((env.fpcr >>> Fpcr.RModeShift) & 3) as RoundingMode
}

/** FPZero(sign). */
export function zero(f: Format, sign: number): bigint {
  return sign ? f.signBit : 0n
}

/** FPInfinity(sign). */
export function infinity(f: Format, sign: number): bigint {
  return sign ? f.infinity | f.signBit : f.infinity
}

/** FPDefaultNaN() together with the Invalid Operation that made it. */
export function invalid(f: Format, env: FpEnvironment): bigint {
  env.fpsr |= Fpsr.IOC
  return f.defaultNaN
}

/** What an overflow becomes under a rounding mode: an infinity or the largest finite number. */
export function overflowed(f: Format, sign: number, mode: RoundingMode): bigint {
  const toInfinity =
    mode === Rounding.tieEven || mode === Rounding.tieAway || mode === (sign ? Rounding.negInf : Rounding.posInf)
  return (toInfinity ? f.infinity : f.maxNormal) | zero(f, sign)
}
