/**
 * VFPExpandImm: the raw bits of an 8-bit floating-point immediate, sign, inverted-and-repeated exponent bit, two
 * exponent bits, four fraction bits: +/- n/16 * 2^r with 16 <= n <= 31 and -3 <= r <= 4.
 */
export function expandImmediate(imm8: number, size: 16 | 32 | 64): bigint {
  const exponentBits = size === 16 ? 5 : size === 32 ? 8 : 11
  const sign = BigInt(imm8 >> 7)
  const repeated = imm8 & 0x40 ? (1n << BigInt(exponentBits - 3)) - 1n : 1n << BigInt(exponentBits - 3)
  const exponent = (repeated << 2n) | BigInt((imm8 >> 4) & 3)
  const fraction = BigInt(imm8 & 15)
  const bits = BigInt(size)
  const fractionBits = bits - 1n - BigInt(exponentBits)
  return (sign << (bits - 1n)) | (exponent << fractionBits) | (fraction << (fractionBits - 4n))
}

/** The number that an 8-bit immediate stands for. */
export function immediateValue(imm8: number): number {
  const exponent = ((imm8 >> 4) & 7) ^ 4
  const magnitude = ((16 + (imm8 & 15)) / 16) * 2 ** (exponent - 3)
  return imm8 & 0x80 ? -magnitude : magnitude
}

/** The 8-bit immediate of a number, or -1 when it has none. */
export function encodeImmediate(x: number): number {
  for (let imm8 = 0; imm8 < 256; imm8++) if (immediateValue(imm8) === x) return imm8
  return -1
}
