import { type FpEnvironment, Fpcr, Fpsr, Rounding, type RoundingMode } from './format.ts'

/**
 * Fast paths on the host's binary64 arithmetic. Each returns the result, or -1n when the case is not one it is sure
 * of, and the exact path then does it. The cases are: rounding to nearest, operands that are normal numbers (zeros
 * where harmless), result clear of overflow and underflow. There no flag but IXC can arise, FZ and DN do not matter,
 * and IXC is told by an error-free transformation, or needs no telling because it is already set (it is cumulative).
 */
const buffer = new ArrayBuffer(16)
const u64 = new BigUint64Array(buffer)
const f64 = new Float64Array(buffer)
const f32 = new Float32Array(buffer)
const u32 = new Uint32Array(buffer)

const MIN64 = 2.2250738585072014e-308
const MAX64 = Number.MAX_VALUE
/** Below this no step of TwoSum overflows. */
const SAFE64 = 2 ** 1000
const MIN32 = 2 ** -126
const MAX32 = 3.4028234663852886e38
const NO = -1n

function nearest(env: FpEnvironment): boolean {
  return (env.fpcr & (3 << Fpcr.RModeShift)) === 0
}
function read64(a: bigint): number {
  u64[0] = a
  return f64[0]!
}
function read32(a: bigint): number {
  u64[0] = a
  return f32[0]!
}
function bits64(x: number): bigint {
  f64[0] = x
  return u64[0]!
}
function bits32(x: number): bigint {
  f32[0] = x
  u32[1] = 0
  return u64[0]!
}
function normal64(x: number): boolean {
  const m = Math.abs(x)
  return m >= MIN64 && m <= MAX64
}
function normal32(x: number): boolean {
  const m = Math.abs(x)
  return m >= MIN32 && m <= MAX32
}
/** What x + y lost in s = x + y (Knuth's TwoSum). */
function lost(x: number, y: number, s: number): number {
  const t = s - x
  return x - (s - t) + (y - t)
}

function sum64(x: number, y: number, env: FpEnvironment): bigint {
  if (!(Math.abs(x) <= SAFE64 && Math.abs(y) <= SAFE64)) return NO
  if ((x !== 0 && !normal64(x)) || (y !== 0 && !normal64(y))) return NO
  const s = x + y
  if (s !== 0 && !(Math.abs(s) > MIN64)) return NO
  if (lost(x, y, s) !== 0) env.fpsr |= Fpsr.IXC
  return bits64(s)
}

function sum32(x: number, y: number, env: FpEnvironment): bigint {
  if ((x !== 0 && !normal32(x)) || (y !== 0 && !normal32(y))) return NO
  // Rounding first to 53 bits and then to 24 is innocuous for one sum, product, quotient or root of 24-bit numbers.
  const s = x + y
  const r = Math.fround(s)
  const m = Math.abs(r)
  if (r !== 0 && !(m > MIN32 && m <= MAX32)) return NO
  if (r !== s || lost(x, y, s) !== 0) env.fpsr |= Fpsr.IXC
  return bits32(r)
}

/** What x * y lost in p = x * y (Dekker's product), when nothing in it overflows or underflows (`inSafe`). */
function productLost(x: number, y: number, p: number): number {
  const cx = x * 134217729
  const xh = cx - (cx - x)
  const xl = x - xh
  const cy = y * 134217729
  const yh = cy - (cy - y)
  const yl = y - yh
  return xl * yl - (p - xh * yh - xl * yh - xh * yl)
}

/** Magnitudes of operands and results between which products and their errors are normal numbers or exact. */
function inSafe(x: number): boolean {
  const m = Math.abs(x)
  return m > 2 ** -400 && m < 2 ** 400
}

/** A result already rounded to binary64: x is what y * z must be for `r` to be exact. */
function finish64(r: number, x: number, y: number, z: number, env: FpEnvironment): bigint {
  const m = Math.abs(r)
  if (!(m > MIN64 && m <= MAX64)) return NO
  if (!(env.fpsr & Fpsr.IXC)) {
    if (!inSafe(x) || !inSafe(y) || !inSafe(z)) return NO
    const p = y * z
    if (p !== x || productLost(y, z, p) !== 0) env.fpsr |= Fpsr.IXC
  }
  return bits64(r)
}

/** Round an intermediate to binary32; `exact` tells whether the intermediate is the exact result when it fits. */
function finish32(x: number, exact: (r: number) => boolean, env: FpEnvironment): bigint {
  const r = Math.fround(x)
  const m = Math.abs(r)
  if (!(m > MIN32 && m <= MAX32)) return NO
  if (!(env.fpsr & Fpsr.IXC) && !exact(r)) env.fpsr |= Fpsr.IXC
  return bits32(r)
}

export function add64(a: bigint, b: bigint, env: FpEnvironment): bigint {
  return nearest(env) ? sum64(read64(a), read64(b), env) : NO
}
export function sub64(a: bigint, b: bigint, env: FpEnvironment): bigint {
  return nearest(env) ? sum64(read64(a), -read64(b), env) : NO
}
export function add32(a: bigint, b: bigint, env: FpEnvironment): bigint {
  return nearest(env) ? sum32(read32(a), read32(b), env) : NO
}
export function sub32(a: bigint, b: bigint, env: FpEnvironment): bigint {
  return nearest(env) ? sum32(read32(a), -read32(b), env) : NO
}

export function mul64(a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read64(a)
  const y = read64(b)
  const p = x * y
  return normal64(x) && normal64(y) ? finish64(p, p, x, y, env) : NO
}
export function mul32(a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read32(a)
  const y = read32(b)
  if (!normal32(x) || !normal32(y)) return NO
  const p = x * y
  return finish32(p, (r) => r === p, env)
}
export function div64(a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read64(a)
  const y = read64(b)
  const q = x / y
  return normal64(x) && normal64(y) ? finish64(q, x, q, y, env) : NO
}
export function div32(a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read32(a)
  const y = read32(b)
  return normal32(x) && normal32(y) ? finish32(x / y, (r) => r * y === x, env) : NO
}
export function sqrt64(a: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read64(a)
  const r = Math.sqrt(x)
  return x > 0 && normal64(x) ? finish64(r, x, r, r, env) : NO
}
export function sqrt32(a: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read32(a)
  return x > 0 && normal32(x) ? finish32(Math.sqrt(x), (r) => r * r === x, env) : NO
}

/** The sum s + error, s its rounding to nearest and not zero, rounded to odd instead. */
function toOdd(s: number, error: number): number {
  if (error === 0) return s
  f64[0] = s
  if (u32[0]! & 1) return s
  // The exact sum lies between s and its neighbour on the side of the error; that neighbour is odd.
  u64[0] = u64[0]! + (error > 0 === s > 0 ? 1n : -1n)
  return f64[0]!
}

/**
 * addend + a * b after Boldo and Melquiond ("Emulation of a FMA and correctly rounded sums"): all parts exact, the
 * two smallest added with rounding to odd, then one rounding to nearest.
 */
export function mulAdd64(addend: bigint, a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const c = read64(addend)
  const x = read64(a)
  const y = read64(b)
  if (!inSafe(x) || !inSafe(y) || (c !== 0 && !inSafe(c))) return NO
  const ph = x * y
  const pl = productLost(x, y, ph)
  const th = c + pl
  const tl = lost(c, pl, th)
  const vh = ph + th
  const vl = lost(ph, th, vh)
  const w = tl + vl
  const error = lost(tl, vl, w)
  const z = toOdd(w, error)
  const r = vh + z
  // Clear of an exact zero, whose sign the exact path knows, and of everything near underflow and overflow.
  if (!inSafe(r)) return NO
  if (error !== 0 || lost(vh, z, r) !== 0) env.fpsr |= Fpsr.IXC
  return bits64(r)
}

/** addend + a * b: the product is exact in binary64, the sum is rounded to odd there, then to binary32. */
export function mulAdd32(addend: bigint, a: bigint, b: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const c = read32(addend)
  const x = read32(a)
  const y = read32(b)
  if (!normal32(x) || !normal32(y) || (c !== 0 && !normal32(c))) return NO
  const p = x * y
  const nearestSum = p + c
  if (nearestSum === 0) return NO
  const error = lost(p, c, nearestSum)
  const s = toOdd(nearestSum, error)
  const r = Math.fround(s)
  const m = Math.abs(r)
  if (!(m > MIN32 && m <= MAX32)) return NO
  if (error !== 0 || r !== s) env.fpsr |= Fpsr.IXC
  return bits32(r)
}

/** NZCV of comparing two ordered numbers, or -1 when a NaN or a denormal takes part. */
export function compareNumbers(a: bigint, b: bigint, size: number): number {
  const x = size === 64 ? read64(a) : read32(a)
  const y = size === 64 ? read64(b) : read32(b)
  const min = size === 64 ? MIN64 : MIN32
  if ((x !== 0 && !(Math.abs(x) >= min)) || (y !== 0 && !(Math.abs(y) >= min))) return -1
  return x === y ? 6 : x < y ? 8 : 2
}

export function widen32(a: bigint): bigint {
  const x = read32(a)
  return normal32(x) ? bits64(x) : NO
}
export function narrow64(a: bigint, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const x = read64(a)
  return normal64(x) ? finish32(x, (r) => r === x, env) : NO
}

/** The magnitude m < 2^52 of a number rounded to an integer in direction `mode`. */
function roundedMagnitude(m: number, negative: boolean, mode: RoundingMode): number {
  const f = Math.floor(m)
  const rest = m - f
  if (rest === 0) return f
  switch (mode) {
    case Rounding.tieEven:
      return rest > 0.5 || (rest === 0.5 && f % 2 === 1) ? f + 1 : f
    case Rounding.tieAway:
      return rest >= 0.5 ? f + 1 : f
    case Rounding.posInf:
      return negative ? f : f + 1
    case Rounding.negInf:
      return negative ? f + 1 : f
    default:
      return f
  }
}

/** To a signed or unsigned integer of `width` bits, when value * 2^fbits is below 2^52 and the result fits. */
export function toInteger(
  a: bigint,
  size: number,
  width: number,
  signed: boolean,
  mode: RoundingMode,
  fbits: number,
  env: FpEnvironment,
): bigint {
  const x = size === 64 ? read64(a) : read32(a)
  if (!(size === 64 ? normal64(x) : normal32(x))) return NO
  const m = Math.abs(x) * 2 ** fbits
  if (!(m < 2 ** 52)) return NO
  const t = roundedMagnitude(m, x < 0, mode)
  const limit = width === 32 ? (signed ? 2 ** 31 - 1 : 2 ** 32 - 1) : 2 ** 52
  if (t > limit || (x < 0 && t !== 0 && !signed)) return NO
  if (t !== m) env.fpsr |= Fpsr.IXC
  return x < 0 && t !== 0 ? BigInt.asUintN(width, BigInt(-t)) : BigInt(t)
}

/** FPRoundInt of a normal number below 2^52 (2^23 for singles); others need no rounding or are not numbers. */
export function roundInt(a: bigint, size: number, mode: RoundingMode, exact: boolean, env: FpEnvironment): bigint {
  const x = size === 64 ? read64(a) : read32(a)
  if (!(size === 64 ? normal64(x) : normal32(x))) return NO
  const m = Math.abs(x)
  if (m >= (size === 64 ? 2 ** 52 : 2 ** 23)) return NO
  const t = roundedMagnitude(m, x < 0, mode)
  if (exact && t !== m) env.fpsr |= Fpsr.IXC
  const r = x < 0 ? -t : t
  return size === 64 ? bits64(r) : bits32(r)
}

/** The greater or the smaller of two normal numbers, at most one of them replaced by a zero. */
export function extremum(a: bigint, b: bigint, size: number, max: boolean): bigint {
  const nzcv = compareNumbers(a, b, size)
  if (nzcv < 0 || nzcv === 6) return NO
  const chosen = (nzcv === 8) === max ? b : a
  return size === 64 ? chosen : BigInt.asUintN(32, chosen)
}

/** Integer to binary64 without fraction bits; exact when the integer has at most 53 bits. */
export function fromInteger64(a: bigint, width: number, signed: boolean): bigint {
  const n = Number(signed ? BigInt.asIntN(width, a) : BigInt.asUintN(width, a))
  return Number.isSafeInteger(n) ? bits64(n === 0 ? 0 : n) : NO
}
/** Integer of 32 bits to binary32 without fraction bits. */
export function fromInteger32(a: bigint, width: number, signed: boolean, env: FpEnvironment): bigint {
  if (!nearest(env)) return NO
  const n = Number(signed ? BigInt.asIntN(width, a) : BigInt.asUintN(width, a))
  if (!Number.isSafeInteger(n)) return NO
  const r = Math.fround(n)
  if (r !== n) env.fpsr |= Fpsr.IXC
  return bits32(r)
}
