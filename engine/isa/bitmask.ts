/**
 * Logical immediates: DecodeBitMasks of the Arm ARM (shared/functions/decode/DecodeBitMasks) and its inverse.
 * An immediate is an element of 2, 4, 8, 16, 32 or 64 bits, `S + 1` ones rotated right by `R`, repeated over 64 bits.
 */

/** The element size in bits that N:imms select, or 0 when reserved. */
function elementBits(N: number, imms: number): number {
  const combined = (N << 6) | (~imms & 0x3f)
  if (combined < 2) return 0
  return 1 << (31 - Math.clz32(combined))
}

/** Is N:immr:imms a logical immediate of an instruction with this `sf`? */
export function isBitmask(N: number, imms: number, sf: number): boolean {
  if (sf === 0 && N === 1) return false
  const size = elementBits(N, imms)
  return size !== 0 && (imms & (size - 1)) !== size - 1
}

/**
 * The immediate that N:immr:imms stand for, 32 or 64 bits wide by `sf`.
 * @returns null for reserved values.
 */
export function decodeBitmask(N: number, immr: number, imms: number, sf: number): bigint | null {
  if (!isBitmask(N, imms, sf)) return null
  const size = elementBits(N, imms)
  const ones = (imms & (size - 1)) + 1
  const rotation = immr & (size - 1)
  const element = rotateRight((1n << BigInt(ones)) - 1n, rotation, size)
  return repeat(element, size, sf ? 64 : 32)
}

/**
 * The fields of a logical immediate.
 * @param value unsigned, less than 2^width.
 * @param width 32 or 64.
 * @returns null when no element and rotation give `value`.
 */
export function encodeBitmask(value: bigint, width: number): { N: number; immr: number; imms: number } | null {
  const all = (1n << BigInt(width)) - 1n
  if (value <= 0n || value >= all) return null
  let size = width
  while (size > 2) {
    const half = size >> 1
    if (repeat(value & ((1n << BigInt(half)) - 1n), half, width) !== value) break
    size = half
  }
  const element = value & ((1n << BigInt(size)) - 1n)
  let ones = 0
  for (let bits = element; bits !== 0n; bits &= bits - 1n) ones++
  const run = (1n << BigInt(ones)) - 1n
  for (let immr = 0; immr < size; immr++) {
    if (rotateRight(run, immr, size) !== element) continue
    // imms: ones at the top mark the element size, a zero ends them, then ones - 1 (for 64 bits N is the mark).
    const imms = size === 64 ? ones - 1 : (~(2 * size - 1) & 0x3f) | (ones - 1)
    return { N: size === 64 ? 1 : 0, immr, imms }
  }
  return null
}

function rotateRight(value: bigint, amount: number, size: number): bigint {
  if (amount === 0) return value
  return (value >> BigInt(amount)) | BigInt.asUintN(size, value << BigInt(size - amount))
}

function repeat(element: bigint, size: number, width: number): bigint {
  let out = 0n
  for (let at = 0; at < width; at += size) out |= element << BigInt(at)
  return out
}
