import { add, div, extremum, mul, sqrt, sub } from './arithmetic.ts'
import { Compared, compare } from './compare.ts'
import { convert, fromFixed, roundInt, toFixed } from './convert.ts'
import { recpe, recpx, rsqrte, urecpe, ursqrte } from './estimate.ts'
import { type Format, type FpEnvironment, Rounding, type RoundingMode, formatOf, roundingOf } from './format.ts'
import { mulAdd, newtonStep } from './fused.ts'
import * as native from './native.ts'

/**
 * The floating-point operations, by name. Operands and results are raw bits, zero-extended; the environment supplies
 * FPCR and collects the cumulative flags of FPSR. `size` is the format (16, 32, 64) of the floating-point operands; for
 * integer sources (`from...`) it is the format of the result.
 *
 * | name | meaning (Arm ARM pseudocode) |
 * | --- | --- |
 * | `add` `sub` `mul` `div` `max` `min` `maxnm` `minnm` `mulx` | FPAdd(a, b), ... |
 * | `nmul` | FPNeg(FPMul(a, b)) |
 * | `sqrt` `recpe` `rsqrte` `recpx` | of a |
 * | `fma` | FPMulAdd(addend = a, b, c): a + b * c, rounded once. FMSUB negates b, FNMADD a and b, FNMSUB a |
 * | `recps` `rsqrts` | 2 - a * b, (3 - a * b) / 2, rounded once |
 * | `urecpe` `ursqrte` | of the 32-bit fraction a, whatever the size |
 * | `cmp` `cmpe` | NZCV packed N=8 Z=4 C=2 V=1; `cmpe` signals Invalid Operation for quiet NaNs, too |
 * | `eq` `ge` `gt` | FPCompareEQ/GE/GT: all ones of `size` bits, or 0 (lanes of FCMEQ, FCMGE, FCMGT) |
 * | `frintn` `frintp` `frintm` `frintz` `frinta` | FPRoundInt with that direction |
 * | `frintx` `frinti` | FPRoundInt under FPCR.RMode, with and without IXC |
 * | `toF16` `toF32` `toF64` | FPConvert; `toF32:odd` rounds to odd (FCVTXN) |
 * | `toS32:rz` `toU64:rn:12` | FPToFixed to a signed or unsigned integer of that many bits; rn rp rm rz ra; fbits |
 * | `fromS32` `fromU64:12` | FixedToFP from the low bits of a under FPCR.RMode; fbits |
 */
export type FpFunction = (a: bigint, b: bigint, c: bigint, env: FpEnvironment) => bigint

/** Functions by number, for callers that cannot pass names. Filled by `fpOperationId`; numbers never change meaning. */
export const fpById: FpFunction[] = []
const ids16 = new Map<string, number>()
const ids32 = new Map<string, number>()
const ids64 = new Map<string, number>()

/** The number of an operation at a size. @throws RangeError for a name or size that does not exist. */
export function fpOperationId(op: string, size: number): number {
  const ids = size === 32 ? ids32 : size === 64 ? ids64 : ids16
  let id = size === 32 || size === 64 || size === 16 ? ids.get(op) : undefined
  if (id === undefined) {
    id = fpById.push(define(op, formatOf(size))) - 1
    ids.set(op, id)
  }
  return id
}

/** Do one operation, accumulating flags in `fp.fpsr`. @throws RangeError for an unknown name or size. */
export function fpOperation(op: string, size: number, a: bigint, b: bigint, c: bigint, fp: FpEnvironment): bigint {
  return fpById[fpOperationId(op, size)]!(a, b, c, fp)
}

const directions: Readonly<Record<string, RoundingMode>> = {
  rn: Rounding.tieEven,
  rp: Rounding.posInf,
  rm: Rounding.negInf,
  rz: Rounding.zero,
  ra: Rounding.tieAway,
}

type Fast1 = (a: bigint, env: FpEnvironment) => bigint
type Fast2 = (a: bigint, b: bigint, env: FpEnvironment) => bigint

/** Choose the host path for a size, if there is one. */
function pick<T>(f: Format, at32: T, at64: T): T | null {
  return f.bits === 32 ? at32 : f.bits === 64 ? at64 : null
}

type Exact2 = (f: Format, a: bigint, b: bigint, env: FpEnvironment) => bigint

function two(exact: Exact2, f: Format, fast: Fast2 | null): FpFunction {
  if (fast === null) return (a, b, _c, env) => exact(f, a, b, env)
  return (a, b, _c, env) => {
    const r = fast(a, b, env)
    return r >= 0n ? r : exact(f, a, b, env)
  }
}

function define(op: string, f: Format): FpFunction {
  switch (op) {
    case 'add':
      return two(add, f, pick<Fast2>(f, native.add32, native.add64))
    case 'sub':
      return two(sub, f, pick<Fast2>(f, native.sub32, native.sub64))
    case 'mul':
      return two(mul, f, pick<Fast2>(f, native.mul32, native.mul64))
    case 'nmul': {
      const product = define('mul', f)
      return (a, b, c, env) => product(a, b, c, env) ^ f.signBit
    }
    case 'mulx':
      return (a, b, _c, env) => mul(f, a, b, env, true)
    case 'div':
      return two(div, f, pick<Fast2>(f, native.div32, native.div64))
    case 'sqrt': {
      const fast = pick<Fast1>(f, native.sqrt32, native.sqrt64)
      return (a, _b, _c, env) => {
        const r = fast === null ? -1n : fast(a, env)
        return r >= 0n ? r : sqrt(f, a, env)
      }
    }
    case 'fma':
      return fused(f, pick<FpFunction>(f, native.mulAdd32, native.mulAdd64))
    case 'max':
      return greater(f, true, false)
    case 'min':
      return greater(f, false, false)
    case 'maxnm':
      return greater(f, true, true)
    case 'minnm':
      return greater(f, false, true)
    case 'recps':
      return (a, b, _c, env) => newtonStep(f, a, b, env, false)
    case 'rsqrts':
      return (a, b, _c, env) => newtonStep(f, a, b, env, true)
    case 'recpe':
      return (a, _b, _c, env) => recpe(f, a, env)
    case 'rsqrte':
      return (a, _b, _c, env) => rsqrte(f, a, env)
    case 'recpx':
      return (a, _b, _c, env) => recpx(f, a, env)
    case 'urecpe':
      return (a) => urecpe(a)
    case 'ursqrte':
      return (a) => ursqrte(a)
    case 'cmp':
      return comparison(f, false, (nzcv) => BigInt(nzcv))
    case 'cmpe':
      return comparison(f, true, (nzcv) => BigInt(nzcv))
    case 'eq':
      return comparison(f, false, (nzcv) => (nzcv === Compared.equal ? f.all : 0n))
    case 'ge':
      return comparison(f, true, (nzcv) => (nzcv === Compared.equal || nzcv === Compared.greater ? f.all : 0n))
    case 'gt':
      return comparison(f, true, (nzcv) => (nzcv === Compared.greater ? f.all : 0n))
    case 'frintx':
      return integral(f, null, true)
    case 'frinti':
      return integral(f, null, false)
    default:
      return defineConversion(op, f)
  }
}

function fused(f: Format, fast: FpFunction | null): FpFunction {
  if (fast === null) return (a, b, c, env) => mulAdd(f, a, b, c, env)
  return (a, b, c, env) => {
    const r = fast(a, b, c, env)
    return r >= 0n ? r : mulAdd(f, a, b, c, env)
  }
}

function greater(f: Format, max: boolean, number: boolean): FpFunction {
  return (a, b, _c, env) => {
    const r = f.bits === 16 ? -1n : native.extremum(a, b, f.bits, max)
    return r >= 0n ? r : extremum(f, a, b, env, max, number)
  }
}

/** FPRoundInt; `direction` null: FPCR's. */
function integral(f: Format, direction: RoundingMode | null, exact: boolean): FpFunction {
  return (a, _b, _c, env) => {
    const mode = direction ?? roundingOf(env)
    const r = f.bits === 16 ? -1n : native.roundInt(a, f.bits, mode, exact, env)
    return r >= 0n ? r : roundInt(f, a, env, mode, exact)
  }
}

function comparison(f: Format, signalling: boolean, result: (nzcv: number) => bigint): FpFunction {
  return (a, b, _c, env) => {
    const nzcv = f.bits === 16 ? -1 : native.compareNumbers(a, b, f.bits)
    return result(nzcv >= 0 ? nzcv : compare(f, a, b, env, signalling))
  }
}

function defineConversion(op: string, f: Format): FpFunction {
  const unknown = new RangeError(`no floating-point operation ${op} of ${f.bits} bits`)
  const [name = '', first, second] = op.split(':')
  const match = /^(frint|toF|to[SU]|from[SU])(.+)$/.exec(name)
  if (match === null) throw unknown
  const kind = match[1]!
  const rest = match[2]!
  if (kind === 'frint') {
    const mode = directions[`r${rest}`]
    if (mode === undefined || first !== undefined) throw unknown
    return integral(f, mode, false)
  }
  if (kind === 'toF') {
    if (first !== undefined && first !== 'odd') throw unknown
    return defineConvert(f, formatOf(Number(rest)), first === 'odd')
  }
  const width = Number(rest)
  if (width !== 16 && width !== 32 && width !== 64) throw unknown
  const signed = kind.endsWith('S')
  if (kind.startsWith('to')) {
    const mode = directions[first ?? '']
    const fbits = fraction(second, width)
    if (mode === undefined || fbits < 0) throw unknown
    const fast = f.bits !== 16 && width !== 16
    return (a, _b, _c, env) => {
      const r = fast ? native.toInteger(a, f.bits, width, signed, mode, fbits, env) : -1n
      return r >= 0n ? r : toFixed(f, a, env, width, signed, mode, fbits)
    }
  }
  const fbits = fraction(first, width)
  if (fbits < 0) throw unknown
  return (a, _b, _c, env) => {
    let r = -1n
    if (fbits === 0 && f.bits === 64) r = native.fromInteger64(a, width, signed)
    else if (fbits === 0 && f.bits === 32) r = native.fromInteger32(a, width, signed, env)
    return r >= 0n ? r : fromFixed(f, a, env, width, signed, fbits)
  }
}

/** Fraction bits from their text, absent = 0; -1 when they are not 0..width. */
function fraction(text: string | undefined, width: number): number {
  const n = Number(text ?? 0)
  return Number.isInteger(n) && n >= 0 && n <= width ? n : -1
}

function defineConvert(from: Format, to: Format, odd: boolean): FpFunction {
  if (odd) return (a, _b, _c, env) => convert(from, to, a, env, Rounding.odd)
  const fast: Fast1 | null =
    from.bits === 32 && to.bits === 64 ? native.widen32 : from.bits === 64 && to.bits === 32 ? native.narrow64 : null
  return (a, _b, _c, env) => {
    const r = fast === null ? -1n : fast(a, env)
    return r >= 0n ? r : convert(from, to, a, env)
  }
}
